"""A real stack in a folder of its own: started, used, hurt and stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from forgelab.cli.stack.address import listen
from forgelab.lib import processes

ROOT = Path(__file__).resolve().parents[3]
FORGELAB = [sys.executable, "-m", "forgelab.cli.main"]
PATIENCE = 60  # seconds, for a machine that is busy


class Home:
    """A data folder and a free port for a stack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with listen("127.0.0.1", 0) as free:
            self.port = free.getsockname()[1]
        ours = {
            "FORGELAB_DATA_DIR": str(folder),
            "FORGELAB_RUNS_DIR": str(folder / "runs"),
            "DATABASE_URL": "",
            "CELERY_BROKER_URL": "",
        }
        self.environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "forgelab.settings", **ours}

    def forgelab(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*FORGELAB, *arguments], env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
        )

    def up(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.forgelab("up", "--no-open", "--port", str(self.port), *options)

    def foreground(self) -> subprocess.Popen[str]:
        command = [*FORGELAB, "up", "--no-open", "--port", str(self.port)]
        return subprocess.Popen(
            command, env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def left(self) -> list[int]:
        """The processes that belong to this stack."""
        return processes.marked(str(self.folder), "FORGELAB_DATA_DIR")

    def state(self) -> dict[str, Any]:
        return json.loads((self.folder / "forgelab.pid").read_text())

    def answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/runs", timeout=20).close()
        except urllib.error.HTTPError as error:
            return error.code == 401
        except OSError:
            return False
        return True

    def celery(self, code: str) -> Any:
        """What a line of Python prints as JSON when it has the stack's Celery application as `app`."""
        script = f"import json; from forgelab.celery import app; print(json.dumps({code}))"
        done = subprocess.run(
            [sys.executable, "-c", script], env=self.environment, cwd=ROOT, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)


def eventually(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "data")
    yield home
    processes.end_marked(str(home.folder), name="FORGELAB_DATA_DIR")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, str]]:
    """A detached stack and what it printed at its start."""
    home = Home(tmp_path_factory.mktemp("running"))
    try:
        started = home.up("--detach")
        assert started.returncode == 0, started.stdout + started.stderr
        yield home, started.stdout
    finally:
        home.forgelab("down")
        processes.end_marked(str(home.folder), name="FORGELAB_DATA_DIR")


def test_the_first_start_makes_an_admin_and_prints_the_password_once(running: tuple[Home, str]) -> None:
    home, printed = running
    password = re.search(r"Log in as admin with the password (\S+)", printed)[1]
    log = (home.folder / "forgelab.log").read_text()
    assert len(password) >= 16 and password not in log


def test_the_api_answers_and_status_shows_where(running: tuple[Home, str]) -> None:
    home, _ = running
    assert home.answers()
    status = home.forgelab("status")
    assert status.returncode == 0 and f"http://127.0.0.1:{home.port}/" in status.stdout and "MB" in status.stdout


def test_a_second_start_says_where_it_runs_already(running: tuple[Home, str]) -> None:
    home, _ = running
    again = home.up()
    assert again.returncode == 0
    assert f"already running at http://127.0.0.1:{home.port}/" in again.stdout


def test_a_queued_run_reaches_the_worker_for_runs(running: tuple[Home, str]) -> None:
    home, _ = running
    run_id = str(uuid4())
    task = home.celery(f"app.send_task('forgelab.runs.tasks.execute_run', ['{run_id}'], queue='runs').id")
    log = home.folder / "forgelab.log"
    eventually(lambda: f"[{task}] succeeded" in log.read_text(), "it was executed")


def test_the_clock_has_the_sweeper_executed(running: tuple[Home, str]) -> None:
    home, _ = running

    def swept() -> int:
        stats = home.celery("app.control.inspect(timeout=3).stats()") or {}
        return sum(
            worker["total"].get("forgelab.runs.tasks.sweep", 0)
            for name, worker in stats.items()
            if name.startswith("default@")
        )

    eventually(swept, "a sweep was executed")


def test_a_child_that_dies_is_started_again(running: tuple[Home, str]) -> None:
    home, _ = running
    before = home.state()["children"]["web"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: home.state()["children"].get("web", before) != before, "the web server was started again")
    assert home.answers()
    assert "web was ended by SIGKILL; it is started again" in (home.folder / "forgelab.log").read_text()


def test_files_are_for_their_owner_only(running: tuple[Home, str]) -> None:
    home, _ = running
    modes = {path.name: path.stat().st_mode & 0o077 for path in home.folder.glob("forgelab.l*")}
    assert modes == {"forgelab.lock": 0, "forgelab.log": 0}


def test_down_stops_everything(running: tuple[Home, str]) -> None:
    home, _ = running
    down = home.forgelab("down")
    assert (down.returncode, down.stdout) == (0, "ForgeLab is stopped.\n")
    assert home.left() == [] and not home.answers()
    assert home.forgelab("status").returncode == 3
    assert home.forgelab("down").stdout == "ForgeLab is not running.\n"


def test_ctrl_c_stops_everything(home: Home) -> None:
    stack = home.foreground()
    eventually(home.answers, "it answers")
    stack.send_signal(signal.SIGINT)
    out, _ = stack.communicate(timeout=PATIENCE)
    assert stack.returncode == 0 and out.endswith("ForgeLab is stopped.\n")
    assert re.search(r"^web +\| ", out, re.MULTILINE)
    assert home.left() == []


def test_nothing_outlives_a_killed_manager_and_it_starts_again(home: Home) -> None:
    stack = home.foreground()
    eventually(
        lambda: home.answers() and len(home.left()) == 5, "it answers, with one process for each part and their manager"
    )
    stack.kill()
    stack.communicate()
    eventually(lambda: not home.left(), "all processes ended with it")
    assert home.forgelab("status").returncode == 3
    assert home.up("--detach").returncode == 0
    assert home.answers()


def test_a_port_that_is_taken_is_reported_before_anything_starts(home: Home) -> None:
    with listen("127.0.0.1", home.port):
        done = home.up()
    assert done.returncode == 1
    assert f"port {home.port}: Address already in use. Try another: forgelab up --port {home.port + 1}" in done.stderr
    assert home.left() == []


def test_settings_that_cannot_be_are_reported_as_a_sentence(home: Home) -> None:
    home.environment["FORGELAB_MODE"] = "fast"
    done = home.up()
    assert done.returncode == 1 and "allowed are embedded and production" in done.stderr
    assert "Traceback" not in done.stderr
