"""The supervisor with the real ansible-runner, on a project whose device is this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from forgelab.lib.processes import end_marked, marked
from forgelab.runs import claims, supervisor
from forgelab.runs.models import Event, Run
from forgelab.runs.selectors import run_changes
from forgelab.runs.supervisor import Supervisor
from tests.runs.local import project, shell
from tests.support import secrets

pytestmark = pytest.mark.django_db(transaction=True)

SLEEP = {"nginx": [shell("sleep 60", "Sleep for long")], "php": [shell("true")]}


@pytest.fixture
def ended_on_device(monkeypatch):
    asked: list[str] = []

    def end_on_device(device, run_ids, timeout=15):
        asked.extend(str(run_id) for run_id in run_ids)
        return True

    monkeypatch.setattr("forgelab.runs.orphans.end_on_device", end_on_device)
    return asked


@pytest.fixture
def claimed(run, ended_on_device):
    yield claims.claim(run.pk)
    end_marked(str(run.pk))


@pytest.fixture
def supervise(claimed, tmp_path):
    """Perform a project in a thread; `wait` gives the ending, `seconds` how long it took."""

    class Performance(threading.Thread):
        def __init__(self, roles, **more) -> None:
            super().__init__(daemon=True)
            self.supervisor = Supervisor(claimed, project(tmp_path, roles, **more), "laravel", ["s3cret-token"])
            self.ending = None
            self.start()

        def run(self) -> None:
            try:
                self.ending = self.supervisor.perform()
            finally:
                connection.close()

        def wait(self):
            self.join(timeout=60)
            assert self.ending, "it has not ended"
            return self.ending

    return Performance


def wait_for(condition, what="", seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return found


def sleepers(run):
    """The marked processes that are the `sleep` of the task itself; Ansible has short ones (`sleep 0`) of its own."""
    found = []
    for pid in marked(str(run.pk)):
        try:
            if Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x0060\0":
                found.append(pid)
        except OSError:
            pass
    return found


def test_a_playbook_is_run_and_every_event_stored(supervise, claimed):
    ending = supervise({"nginx": [shell("echo hello")], "php": [shell("true", changed_when=False)]}).wait()
    assert (ending.status, ending.detail, ending.device_clean) == ("succeeded", "", True)
    assert list(claimed.steps.values_list("role", "status", "changed")) == [
        ("nginx", "succeeded", True),
        ("php", "succeeded", False),
    ]
    kinds = list(Event.objects.filter(run=claimed).values_list("kind", flat=True))
    assert kinds[0] == "playbook_on_start"
    assert kinds[-1] == "playbook_on_stats"
    claimed.refresh_from_db()
    assert claimed.last_counter == Event.objects.filter(run=claimed).last().counter
    assert marked(str(claimed.pk)) == []


def test_a_failing_task_ends_the_run_with_its_message_and_leaves_what_comes_after_it(supervise, claimed):
    ending = supervise({"nginx": [shell("echo no space left >&2; exit 3", "Install")], "php": [shell("true")]}).wait()
    assert ending.status == "failed"
    assert ending.detail.startswith("Install: ")
    assert "no space left" in ending.detail
    assert list(claimed.steps.values_list("status", flat=True)) == ["failed", "pending"]


@pytest.mark.parametrize("stubborn", [False, True], ids=["obeys", "ignores being asked"])
def test_cancel_leaves_no_process(supervise, claimed, ended_on_device, stubborn):
    trap = "trap '' TERM INT HUP; " if stubborn else ""
    performance = supervise({"nginx": [shell(f'{trap}setsid sh -c "{trap}sleep 60; :" & sleep 60; :')]})
    wait_for(lambda: len(sleepers(claimed)) == 2, "the task runs")
    Run.objects.filter(pk=claimed.pk).update(cancel_requested_at=timezone.now())
    wait_for(lambda: not marked(str(claimed.pk)), "no process is left")
    ending = performance.wait()
    assert ending.status == "cancelled"
    assert ended_on_device == [str(claimed.pk)]


def test_the_time_limit_ends_it_and_says_how_long_it_was(supervise, claimed):
    claimed.timeout_seconds = 1
    ending = supervise(SLEEP).wait()
    assert (ending.status, ending.detail) == ("failed", "It took longer than 1 second and was stopped.")
    assert marked(str(claimed.pk)) == []


def test_a_killed_runner_fails_the_run_and_nothing_is_left(supervise, claimed, ended_on_device):
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    runner = [pid for pid in marked(str(claimed.pk)) if b"forgelab.runs.runner" in cmdline(pid)]
    os.kill(runner[0], signal.SIGKILL)
    ending = performance.wait()
    assert ending.status == "failed"
    assert "without a play recap" in ending.detail
    assert marked(str(claimed.pk)) == []
    assert ended_on_device == [str(claimed.pk)]


def cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_run_that_was_taken_away_is_given_up(supervise, claimed, monkeypatch):
    monkeypatch.setattr("django.conf.settings.RUN_HEARTBEAT", 0.3)
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    Run.objects.filter(pk=claimed.pk).update(status=Run.Status.LOST)
    ending = performance.wait()
    assert (ending.status, ending.detail) == ("lost", "Another worker has taken the run for dead.")
    assert marked(str(claimed.pk)) == []


def test_a_run_that_was_taken_away_before_it_began_starts_nothing(supervise, claimed):
    Run.objects.filter(pk=claimed.pk).update(status=Run.Status.LOST)
    assert supervise(SLEEP).wait().status == "lost"
    assert not Event.objects.exists()


def test_without_the_database_the_run_is_given_up_before_others_may_take_it(supervise, claimed, monkeypatch):
    monkeypatch.setattr("django.conf.settings.RUN_HEARTBEAT", 0.2)
    monkeypatch.setattr("django.conf.settings.RUN_FENCE", 1.5)
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")

    def refuse(run):
        from django.db import OperationalError

        raise OperationalError("the server is gone")

    monkeypatch.setattr(claims, "beat", refuse)
    ending = performance.wait()
    assert ending.status == "lost"
    assert "database could not be reached" in ending.detail
    assert marked(str(claimed.pk)) == []


def test_a_supervisor_that_hangs_in_the_database_has_its_run_ended_in_time(supervise, claimed, monkeypatch):
    """The database does not refuse, it does not answer: only the runner itself can know that its time is over."""
    monkeypatch.setattr("django.conf.settings.RUN_HEARTBEAT", 0.2)
    monkeypatch.setattr("django.conf.settings.RUN_FENCE", 1.5)
    answer = threading.Event()
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    monkeypatch.setattr(claims, "beat", lambda run: answer.wait(20))
    time.sleep(0.3)
    wait_for(lambda: not marked(str(claimed.pk)), "the runner ended everything")
    assert performance.is_alive()
    answer.set()
    assert performance.wait().status == "lost"


def test_what_goes_wrong_inside_ends_the_processes_and_the_writer(supervise, claimed, monkeypatch):
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    monkeypatch.setattr(Supervisor, "_reason_to_stop", lambda self, child: 1 / 0)
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    performance.join(timeout=20)
    assert marked(str(claimed.pk)) == []
    assert not performance.supervisor.writer._thread.is_alive()


def test_the_runner_knows_nothing_of_the_workers_environment(supervise, claimed, monkeypatch, tmp_path):
    for name in ("SECRET_KEY", "DATABASE_URL", "FORGELAB_ENCRYPTION_KEYS", "AWS_SECRET", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, f"from-the-worker-{name}")
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    pids = marked(str(claimed.pk))
    assert len(pids) >= 4
    environments = b"".join(Path(f"/proc/{pid}/environ").read_bytes() for pid in pids)
    assert b"FORGELAB_RUN" in environments
    assert secrets.in_text(environments.decode(errors="replace"), ["from-the-worker", "FORGELAB_DATA_DIR"]) == []
    # ansible-runner writes down the command with its environment.
    assert (tmp_path / "artifacts/run/command").exists()
    assert secrets.in_tree(tmp_path, ["from-the-worker", "s3cret-token"]) == []
    assert not any(b"s3cret-token" in cmdline(pid) for pid in pids)
    Run.objects.filter(pk=claimed.pk).update(cancel_requested_at=timezone.now())
    performance.wait()


def test_a_known_secret_is_masked_wherever_a_task_says_it(supervise, claimed):
    supervise({"nginx": [shell("echo my s3cret-token; echo s3cret-token >&2; exit 1", "Say s3cret-token")]}).wait()
    assert secrets.in_database(["s3cret-token"]) == []
    assert "my ********" in str(list(Event.objects.values_list("result", flat=True)))


def test_what_no_database_takes_does_not_stop_the_run(supervise, claimed):
    says = "printf 'a\\000b '; echo '\U0001f600 \u2028'"
    ending = supervise({"nginx": [shell(says)]}).wait()
    assert (ending.status, ending.detail) == ("succeeded", "")
    stored = Event.objects.get(run=claimed, kind="runner_on_ok").result["stdout"]
    assert stored.startswith("ab ")
    assert "\U0001f600" in stored


WORKER = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.support.settings"
import django
django.setup()
from pathlib import Path
from types import SimpleNamespace
from forgelab.runs import claims, supervisor
claims.beat = lambda run: True
supervisor.EventWriter = lambda pk: SimpleNamespace(put=lambda event, timeout: True, finish=lambda **_: True)
supervisor.Supervisor._reason_to_stop = lambda self, child: None
run = SimpleNamespace(pk=sys.argv[1], timeout_seconds=60)
supervisor.Supervisor(run, Path(sys.argv[2]), "laravel", []).perform()
"""


def test_when_the_worker_is_killed_everything_of_its_run_ends(run, tmp_path):
    project(tmp_path, SLEEP)
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(run.pk), str(tmp_path)])
    try:
        wait_for(lambda: sleepers(run), "the task runs", seconds=30)
        worker.kill()
        worker.wait()
        wait_for(lambda: not marked(str(run.pk)), "everything has ended")
    finally:
        worker.kill()
        end_marked(str(run.pk))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (90, "90 seconds"), (3600, "60 minutes")],
)
def test_a_time_is_told_in_words(seconds, text):
    assert supervisor.in_words(seconds) == text


def test_a_run_longer_than_the_fence_goes_on_as_long_as_its_heartbeat_is_stored(supervise, claimed, monkeypatch):
    monkeypatch.setattr("django.conf.settings.RUN_HEARTBEAT", 0.3)
    monkeypatch.setattr("django.conf.settings.RUN_FENCE", 3)
    assert supervise({"nginx": [shell("sleep 5")]}).wait().status == "succeeded"
    claimed.refresh_from_db()
    assert claimed.heartbeat_at > claimed.started_at


def test_a_run_that_only_looks_changes_nothing_and_says_what_would(claimed, tmp_path):
    wanted, made = tmp_path / "wanted", tmp_path / "made"
    copy = {"name": "Write it", "ansible.builtin.copy": {"content": "token s3cret-token\n", "dest": str(wanted)},
            "notify": "Tell it"}  # fmt: skip
    left_out = shell("true", "Ask it", when="not ansible_check_mode")
    roles = {"nginx": [copy, shell(f"touch {made}", "Make it")], "php": [left_out, shell("true", changed_when=False)]}
    handlers = [shell(f"touch {made}", "Tell it")]

    looking = Supervisor(claimed, project(tmp_path, roles, handlers), "laravel", ["s3cret-token"], check=True)
    ending = looking.perform()

    assert ending.status == "succeeded"
    assert not wanted.exists() and not made.exists()
    nginx = run_changes(run=claimed)[0]
    assert [(change.kind, change.what) for change in nginx.changes] == [("task", "Write it"), ("command", "Make it")]
    assert "+token ********" in nginx.changes[0].diff
    assert nginx.handlers == ["Tell it"]
    texts = "".join(Event.objects.filter(run=claimed).values_list("stdout", flat=True))
    assert "skipping" in texts and "=> {" not in texts
    assert secrets.in_database(["s3cret-token"]) == []
