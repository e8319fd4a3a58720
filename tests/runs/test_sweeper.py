from __future__ import annotations

import os
import subprocess

import pytest
from django.utils import timezone

from forgelab.lib.processes import RUN_MARK
from forgelab.runs import claims, sweeper
from forgelab.runs.models import DeviceLock, Run
from tests.runs.processes import ago, works

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ended_on_device(monkeypatch):
    """The runs whose processes were ended on their devices; `answers` false and the device is out of reach."""

    class Asked(list):
        answers = True

    asked = Asked()

    def end_on_device(device, run_ids, timeout=15):
        asked.extend(str(run_id) for run_id in run_ids)
        return asked.answers

    monkeypatch.setattr("forgelab.runs.orphans.end_on_device", end_on_device)
    return asked


@pytest.fixture
def running(run):
    return claims.claim(run.pk)


def test_a_run_whose_worker_works_is_left_alone(running, ended_on_device):
    sweeper.sweep()
    running.refresh_from_db()
    assert running.status == "running"
    assert ended_on_device == []


def test_a_dead_workers_run_is_lost_repeated_once_and_its_device_free(running, worker, ended_on_device):
    works(running, worker)
    worker.kill()
    worker.wait()
    sweeper.sweep()
    sweeper.sweep()
    running.refresh_from_db()
    assert running.status == "lost"
    assert running.steps.filter(status="skipped").count() == 2
    assert ended_on_device == [str(running.pk)]
    assert Run.objects.filter(retry_of=running).count() == 1
    assert not DeviceLock.objects.exists()
    assert claims.claim(running.retried_by.pk)


def test_a_pid_that_another_process_has_now_is_no_worker(running, worker):
    works(running, worker)
    Run.objects.update(worker_started="1")
    sweeper.sweep()
    running.refresh_from_db()
    assert running.status == "lost"
    assert worker.poll() is None


def test_the_step_that_ran_when_the_worker_died_says_so(running):
    running.steps.filter(role="nginx").update(status="succeeded", seconds=4.2)
    running.steps.filter(role="php").update(status="running")
    Run.objects.update(worker_started="1")
    sweeper.sweep()
    assert list(running.steps.values_list("status", "seconds", "detail")) == [
        ("succeeded", 4.2, ""),
        ("stopped", None, "The worker died here."),
    ]


def test_a_silent_worker_is_ended_before_its_run_is_lost(running, worker):
    works(running, worker)
    Run.objects.update(heartbeat_at=ago(seconds=31))
    sweeper.sweep()
    running.refresh_from_db()
    assert running.status == "lost"
    assert worker.wait(timeout=30) == -9


def test_a_worker_silent_for_less_is_given_time(running, worker):
    works(running, worker)
    Run.objects.update(heartbeat_at=ago(seconds=25))
    sweeper.sweep()
    running.refresh_from_db()
    assert running.status == "running"
    assert worker.poll() is None


def test_a_worker_that_went_on_to_another_run_is_not_ended_for_the_one_it_gave_up(
    running, worker, make_run, make_device
):
    other = claims.claim(make_run(device=make_device("homelab-server-02")).pk)
    works(running, worker)
    works(other, worker)
    Run.objects.filter(pk=running.pk).update(heartbeat_at=ago(minutes=5))
    sweeper.sweep()
    assert worker.poll() is None
    assert sorted(Run.objects.filter(retry_of=None).values_list("status", flat=True)) == ["lost", "running"]


def test_the_process_that_sweeps_does_not_end_itself(running):
    Run.objects.update(heartbeat_at=ago(minutes=5))
    sweeper.sweep()
    running.refresh_from_db()
    assert running.status == "lost"


def test_a_worker_elsewhere_counts_by_its_heartbeat_alone(running):
    Run.objects.update(machine="elsewhere/boot/1", worker_pid=1, worker_started="1")
    sweeper.sweep()
    running.refresh_from_db()
    assert running.status == "running"
    Run.objects.update(heartbeat_at=ago(seconds=31))
    sweeper.sweep()
    running.refresh_from_db()
    assert running.status == "lost"


def test_what_the_dead_worker_left_running_here_is_ended(running):
    orphan = subprocess.Popen(["sleep", "60"], env={**os.environ, RUN_MARK: str(running.pk)}, start_new_session=True)
    Run.objects.update(worker_started="1")
    sweeper.sweep()
    assert orphan.wait(timeout=30) == -15


def test_a_device_that_can_not_be_reached_is_remembered_as_not_clean(running, ended_on_device):
    ended_on_device.answers = False
    Run.objects.update(worker_started="1")
    sweeper.sweep()
    running.refresh_from_db()
    assert (running.status, running.device_clean) == ("lost", False)


def test_one_run_that_can_not_be_closed_does_not_keep_the_others_from_it(make_run, make_device, monkeypatch, caplog):
    first = claims.claim(make_run().pk)
    second = claims.claim(make_run(device=make_device("homelab-server-02")).pk)
    Run.objects.update(worker_started="1")
    lose = sweeper.mark_lost
    monkeypatch.setattr(sweeper, "mark_lost", lambda run: 1 / 0 if run.pk == first.pk else lose(run))
    sweeper.sweep()
    assert Run.objects.get(pk=second.pk).status == "lost"
    assert Run.objects.get(pk=first.pk).status == "running"
    assert str(first.pk) in caplog.text


def test_a_cancelled_run_of_a_dead_worker_is_not_repeated(running):
    Run.objects.update(worker_started="1", cancel_requested_at=timezone.now())
    sweeper.sweep()
    running.refresh_from_db()
    assert (running.status, Run.objects.count()) == ("cancelled", 1)


@pytest.mark.parametrize(
    ("sent", "created", "again"),
    [(None, 20, True), (None, 5, False), (20, 60, True), (5, 60, False)],
    ids=["never sent", "just made", "sent long ago", "just sent"],
)
def test_a_run_nobody_took_is_enqueued_again(run, enqueued, sent, created, again):
    Run.objects.update(created_at=ago(seconds=created), enqueued_at=ago(seconds=sent) if sent else None)
    enqueued.clear()
    sweeper.sweep()
    assert enqueued == ([str(run.pk)] if again else [])


def test_a_run_that_waits_for_its_device_is_not_enqueued(running, make_run, enqueued):
    make_run()
    Run.objects.filter(status="queued").update(created_at=ago(minutes=5))
    enqueued.clear()
    sweeper.sweep()
    assert enqueued == []


def test_folders_of_ended_runs_are_removed_and_nothing_else(settings, running, make_run):
    ended = make_run()
    Run.objects.filter(pk=ended.pk).update(status="lost")
    names = [str(running.pk), str(ended.pk), "8d7f1f0e-0000-4000-8000-000000000000", "somebody-elses"]
    for name in names:
        (settings.RUNS_DIR / name / "project").mkdir(parents=True)
    sweeper.sweep()
    left = sorted(path.name for path in settings.RUNS_DIR.iterdir())
    assert left == sorted([str(running.pk), "somebody-elses"])
    for name in left:
        (settings.RUNS_DIR / name / "project").rmdir()
        (settings.RUNS_DIR / name).rmdir()


def test_a_run_that_begins_while_folders_are_listed_keeps_its_own(settings, run, monkeypatch):
    folder = settings.RUNS_DIR / str(run.pk)
    folder.mkdir(parents=True)
    Run.objects.update(status="cancelled")
    ask = sweeper._active

    def begins_meanwhile(names):
        Run.objects.update(status="running")
        return ask(names)

    assert sweeper.remove_stale(begins_meanwhile) == []
    folder.rmdir()
