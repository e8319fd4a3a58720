from __future__ import annotations

import configparser
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.roles.helpers import exact

TRICKY = "/var/www/{{ 7*7 }} `;touch pwned;` ;x #y %d $(x) \"'\\ ü日本"


def read_as_supervisord(text: str) -> configparser.RawConfigParser:
    """Supervisor's own settings of the parser (UnhosedConfigParser)."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(text)
    return parser


def command(text: str) -> list[str]:
    """What supervisord would start: expanded, then split."""
    return shlex.split(read_as_supervisord(text)["program:app-worker"]["command"] % {})


def test_the_worker_is_the_specifications(render: Callable[..., str]) -> None:
    program = read_as_supervisord(render("supervisor", "worker.conf.j2"))["program:app-worker"]
    assert program["command"] == (
        "/usr/local/lib/forgelab/when-deployed /var/www/app/current php artisan queue:work"
        " --sleep=3 --tries=3 --max-time=3600"
    )
    assert {name: program[name] for name in ("process_name", "numprocs", "user", "stopwaitsecs", "stopasgroup")} == {
        "process_name": "%(program_name)s_%(process_num)02d",
        "numprocs": "4",
        "user": "www-data",
        "stopwaitsecs": "3600",
        "stopasgroup": "true",
    }
    assert (program["stdout_logfile_maxbytes"], program["stdout_logfile_backups"]) == ("5MB", "3")
    assert program["stdout_logfile"] == "/var/log/forgelab/app/worker-%(process_num)02d.log"


def test_a_tricky_folder_arrives_as_itself() -> None:
    text = exact("supervisor", "worker.conf.j2", supervisor_app_root=TRICKY)
    assert command(text)[1:4] == [TRICKY, "php", "artisan"]


def test_queues_and_connection_are_passed_on(render: Callable[..., str]) -> None:
    text = render(
        "supervisor",
        "worker.conf.j2",
        supervisor_queue_connection="redis",
        supervisor_queues=["high", "default"],
        supervisor_workers=1,
    )
    assert command(text)[4:7] == ["queue:work", "redis", "--queue=high,default"]


def test_the_scheduler_is_left_to_cron(render: Callable[..., str]) -> None:
    assert "schedule:run" not in render("supervisor", "worker.conf.j2")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("supervisor_app_name", "a.b"),
        ("supervisor_app_name", "{{ 7*7 }}"),
        ("supervisor_app_name", "shop\n"),
        ("supervisor_app_root", "relative"),
        ("supervisor_app_root", "/a\nuser=root"),
        ("supervisor_app_root", "/var/../etc"),
        ("supervisor_app_user", "root;touch pwned"),
        ("supervisor_php", "php -r x"),
        ("supervisor_queue_connection", "--help"),
        ("supervisor_queues", ["a b"]),
        ("supervisor_workers", 0),
    ],
)
def test_it_refuses_with_the_variables_name(refusals: Callable[..., list[str]], variable: str, value: object) -> None:
    found = refusals("supervisor", **{variable: value})
    assert [sentence.split(":")[0] for sentence in found][:1] == [variable]


def test_the_defaults_and_a_tricky_folder_are_fine(refusals: Callable[..., list[str]]) -> None:
    assert refusals("supervisor", supervisor_app_root=TRICKY) == []


@pytest.fixture
def wait_script(render: Callable[..., str], tmp_path: Path) -> Path:
    script = tmp_path / "when-deployed"
    script.write_text(render("supervisor", "when-deployed.sh.j2"))
    return script


def test_a_worker_becomes_the_command_in_the_applications_folder(wait_script: Path, tmp_path: Path) -> None:
    folder = tmp_path / "with space ; ü"
    folder.mkdir()
    (folder / "artisan").touch()
    done = subprocess.run(["sh", wait_script, folder, "pwd"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{folder}\n"


def test_a_waiting_worker_ends_when_it_is_stopped(wait_script: Path, tmp_path: Path) -> None:
    worker = subprocess.Popen(["sh", wait_script, tmp_path / "missing", "true"])
    time.sleep(0.3)
    assert worker.poll() is None
    worker.terminate()
    assert worker.wait(timeout=30) == -15


def test_horizon_takes_the_workers_place(render: Callable[..., str]) -> None:
    parser = read_as_supervisord(render("supervisor", "worker.conf.j2", supervisor_horizon=True))
    assert parser.sections() == ["program:app-horizon"]
    program = parser["program:app-horizon"]
    assert program["command"] == (
        "/usr/local/lib/forgelab/when-deployed --with vendor/laravel/horizon /var/www/app/current php artisan horizon"
    )
    assert (program["numprocs"], program["stopwaitsecs"], program["process_name"]) == ("1", "3600", "%(program_name)s")
    assert "stopasgroup" not in program  # Horizon itself tells its workers, which finish their jobs


def test_limits_of_jobs_are_passed_on_only_when_given(render: Callable[..., str]) -> None:
    text = render("supervisor", "worker.conf.j2", supervisor_queue_timeout=300, supervisor_queue_memory_mb=256)
    assert command(text)[5:7] == ["--timeout=300", "--memory=256"]


@pytest.mark.parametrize(("wait", "refused"), [(3600, False), (300, True), (0, True)])
def test_workers_must_have_the_time_to_finish_a_job(
    refusals: Callable[..., list[str]], wait: int, refused: bool
) -> None:
    found = refusals("supervisor", supervisor_queue_timeout=300, supervisor_stop_wait_seconds=wait)
    assert bool(found) is refused


def test_horizon_waits_for_an_application_that_has_it(wait_script: Path, tmp_path: Path) -> None:
    (tmp_path / "artisan").touch()
    arguments = ["sh", wait_script, "--with", "vendor/laravel/horizon", tmp_path, "echo", "started"]
    worker = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    time.sleep(0.3)
    assert worker.poll() is None
    worker.terminate()
    worker.wait()
    (tmp_path / "vendor/laravel/horizon").mkdir(parents=True)
    assert subprocess.run(arguments, capture_output=True, text=True, check=True).stdout == "started\n"


def test_a_reload_reads_the_programs_and_restarts_no_other(render: Callable[..., str]) -> None:
    lines = render("supervisor", "service.conf.j2").splitlines()
    assert lines[-3:] == ["ExecReload=", "ExecReload=/usr/bin/supervisorctl update", "TimeoutStartSec=infinity"]
