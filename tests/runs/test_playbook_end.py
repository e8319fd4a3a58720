"""How a playbook process ends a run: when it is cancelled, late, cut off or taken away; and that no process is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.utils import timezone

from forgelab.lib.processes import end_marked, marked
from forgelab.runs import claims, playbook
from forgelab.runs.models import Event, Run
from forgelab.runs.playbook import PlaybookProcess
from forgelab.runs.results import RUNNER_GAVE_UP
from tests.runs.local import project, shell
from tests.runs.processes import SLEEP, cmdline, sleepers, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("stubborn", [False, True], ids=["obeys", "ignores being asked"])
def test_cancel_leaves_no_process(supervise, claimed, ended_on_device, stubborn):
    trap = "trap '' TERM INT HUP; " if stubborn else ""
    performance = supervise({"nginx": [shell(f'{trap}setsid sh -c "{trap}sleep 60; :" & sleep 60; :')]})
    wait_for(lambda: len(sleepers(claimed)) == 2, "the task runs")
    Run.objects.filter(pk=claimed.pk).update(cancel_requested_at=timezone.now())
    wait_for(lambda: not marked(str(claimed.pk)), "no process is left")
    result = performance.wait()
    assert result.status == "cancelled"
    assert ended_on_device == [str(claimed.pk)]


def test_the_time_limit_ends_it_and_says_how_long_it_was(supervise, claimed):
    claimed.timeout_seconds = 1
    result = supervise(SLEEP).wait()
    assert (result.status, result.detail) == ("failed", "It took longer than 1 second and was stopped.")
    assert marked(str(claimed.pk)) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (90, "90 seconds"), (3600, "60 minutes")],
)
def test_a_time_is_given_in_words(seconds, text):
    assert playbook.in_words(seconds) == text


def test_a_killed_runner_fails_the_run_and_nothing_is_left(supervise, claimed, ended_on_device):
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    runner = [pid for pid in marked(str(claimed.pk)) if b"forgelab.runs.runner" in cmdline(pid)]
    os.kill(runner[0], signal.SIGKILL)
    result = performance.wait()
    assert result.status == "failed"
    assert "without a play recap" in result.detail
    assert marked(str(claimed.pk)) == []
    assert ended_on_device == [str(claimed.pk)]


def test_a_run_that_was_taken_away_is_given_up(supervise, claimed, monkeypatch):
    monkeypatch.setattr("django.conf.settings.RUN_HEARTBEAT", 0.3)
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    Run.objects.filter(pk=claimed.pk).update(status=Run.Status.LOST)
    result = performance.wait()
    assert (result.status, result.detail) == ("lost", "Another worker has taken the run for dead.")
    assert marked(str(claimed.pk)) == []


def test_a_run_that_was_taken_away_before_it_began_starts_nothing(supervise, claimed):
    Run.objects.filter(pk=claimed.pk).update(status=Run.Status.LOST)
    assert supervise(SLEEP).wait().status == "lost"
    assert not Event.objects.exists()


def test_without_the_database_the_run_is_given_up_before_others_may_take_it(supervise, claimed, monkeypatch):
    monkeypatch.setattr("django.conf.settings.RUN_HEARTBEAT", 0.2)
    monkeypatch.setattr("django.conf.settings.RUN_LEASE", 1.5)
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")

    def refuse(run):
        from django.db import OperationalError

        raise OperationalError("the server is gone")

    monkeypatch.setattr(claims, "heartbeat", refuse)
    result = performance.wait()
    assert result.status == "lost"
    assert "database could not be reached" in result.detail
    assert marked(str(claimed.pk)) == []


def test_a_worker_that_hangs_in_the_database_has_its_run_ended_in_time(supervise, claimed, monkeypatch):
    """The database does not refuse, it does not answer: only the runner itself can know that its time is over."""
    monkeypatch.setattr("django.conf.settings.RUN_HEARTBEAT", 0.2)
    monkeypatch.setattr("django.conf.settings.RUN_LEASE", 1.5)
    answer = threading.Event()
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    monkeypatch.setattr(claims, "heartbeat", lambda run: answer.wait(20))
    time.sleep(0.3)
    wait_for(lambda: not marked(str(claimed.pk)), "the runner ended everything")
    assert performance.is_alive()
    answer.set()
    assert performance.wait().status == "lost"


def test_a_run_longer_than_its_lease_goes_on_as_long_as_its_heartbeat_is_stored(supervise, claimed, monkeypatch):
    monkeypatch.setattr("django.conf.settings.RUN_HEARTBEAT", 0.3)
    monkeypatch.setattr("django.conf.settings.RUN_LEASE", 3)
    assert supervise({"nginx": [shell("sleep 5")]}).wait().status == "succeeded"
    claimed.refresh_from_db()
    assert claimed.heartbeat_at > claimed.started_at


def test_what_goes_wrong_inside_ends_the_processes_and_the_writer(supervise, claimed, monkeypatch):
    performance = supervise(SLEEP)
    wait_for(lambda: sleepers(claimed), "the task runs")
    monkeypatch.setattr(PlaybookProcess, "_reason_to_stop", lambda self, child: 1 / 0)
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    performance.join(timeout=20)
    assert marked(str(claimed.pk)) == []
    assert not performance.process.writer._thread.is_alive()


def test_a_runner_whose_worker_is_gone_gives_up_without_a_trace(claimed, tmp_path, capfd):
    process = PlaybookProcess(claimed, project(tmp_path, {"nginx": [shell("true")]}), "laravel", [])
    process._renewed = time.monotonic()
    with process._start() as runner:
        runner.stdout.close()  # and the lifeline is not: the two end in no order
        try:
            assert runner.wait(timeout=60) == RUNNER_GAVE_UP
        finally:
            end_marked(str(claimed.pk))
    assert "Traceback" not in capfd.readouterr().err


WORKER = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.support.settings"
import django
django.setup()
from pathlib import Path
from types import SimpleNamespace
from forgelab.runs import claims, playbook
claims.heartbeat = lambda run: True
playbook.EventWriter = lambda pk: SimpleNamespace(put=lambda event, timeout: True, finish=lambda **_: True)
playbook.PlaybookProcess._reason_to_stop = lambda self, child: None
run = SimpleNamespace(pk=sys.argv[1], timeout_seconds=60)
playbook.PlaybookProcess(run, Path(sys.argv[2]), "laravel", []).perform()
"""


def test_when_the_worker_is_killed_everything_of_its_run_ends(run, tmp_path):
    project(tmp_path, SLEEP)
    log = tmp_path / "log"
    with log.open("w") as stderr:
        worker = subprocess.Popen([sys.executable, "-c", WORKER, str(run.pk), str(tmp_path)], stderr=stderr)
    try:
        wait_for(lambda: sleepers(run), "the task runs", seconds=30)
        worker.kill()
        worker.wait()
        wait_for(lambda: not marked(str(run.pk)), "everything has ended")
        assert "Traceback" not in log.read_text()
    finally:
        worker.kill()
        end_marked(str(run.pk))
