"""Which workers the sweeper ends: those of which a thread hangs, when no other run of theirs is alive."""

from __future__ import annotations

import pytest

from forgelab.runs import claims, execution, sweeper
from forgelab.runs.models import Run
from forgelab.runs.results import RunResult
from tests.runs.processes import ago, works

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def clean_devices(ended_on_device):
    """Nothing is left on any device."""


@pytest.fixture
def hung(make_run, worker):
    """A run that was called lost two minutes ago, at which a thread of the worker still is."""
    run = claims.claim(make_run().pk)
    claims.end(run, RunResult("lost", "It hung."))
    works(run, worker)
    Run.objects.filter(pk=run.pk).update(finished_at=ago(minutes=2))
    return run


@pytest.fixture
def alive(make_run, make_device, worker):
    """A run that another thread of the same worker is at."""
    run = claims.claim(make_run(device=make_device("homelab-server-02")).pk)
    works(run, worker)
    return Run.objects.get(pk=run.pk)


def test_a_worker_with_a_thread_that_hangs_is_ended(hung, worker):
    sweeper.sweep()
    assert worker.wait(timeout=10) == -9
    sweeper.sweep()
    assert Run.objects.get(pk=hung.pk).worker_pid is None


def test_a_worker_is_left_alone_while_another_of_its_runs_lives(hung, alive, worker):
    sweeper.sweep()
    assert worker.poll() is None
    claims.end(alive, RunResult("succeeded"))
    claims.release(alive)
    sweeper.sweep()
    assert worker.wait(timeout=10) == -9
    assert Run.objects.get(pk=alive.pk).status == "succeeded"


def test_a_stopped_worker_loses_all_its_runs_and_is_ended(alive, make_run, worker):
    second = claims.claim(make_run().pk)
    works(second, worker)
    Run.objects.update(heartbeat_at=ago(minutes=5))
    sweeper.sweep()
    assert worker.wait(timeout=10) == -9
    assert set(Run.objects.filter(retry_of=None).values_list("status", flat=True)) == {"lost"}


def test_a_worker_that_has_only_just_lost_a_run_may_be_about_to_notice(hung, worker):
    Run.objects.filter(pk=hung.pk).update(finished_at=ago(seconds=5))
    sweeper.sweep()
    assert worker.poll() is None


def test_a_thread_that_is_done_with_its_run_says_so(run, performed):
    execution.execute(run.pk)
    run.refresh_from_db()
    assert (run.status, run.worker_pid) == ("succeeded", None)


def test_a_thread_that_fails_in_the_middle_says_so_too(run, monkeypatch):
    monkeypatch.setattr(execution, "_execute", lambda run: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        execution.execute(run.pk)
    assert Run.objects.get().worker_pid is None


def test_a_release_of_a_run_that_is_not_ours_any_more_changes_nothing(run, worker):
    mine = claims.claim(run.pk)
    works(run, worker)
    claims.release(mine)
    assert Run.objects.get().worker_pid == worker.pid
