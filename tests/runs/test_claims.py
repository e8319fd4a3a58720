from __future__ import annotations

import os

import pytest

from forgelab.lib import processes
from forgelab.runs import claims
from forgelab.runs.models import DeviceLock, Run
from forgelab.runs.results import RunResult
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_many_workers_that_get_one_run_exactly_one_claims_it(run):
    results = at_once(*[lambda: claims.claim(run.pk)] * 8)
    assert sorted(type(result).__name__ for result in results) == ["NoneType"] * 7 + ["Run"]
    assert DeviceLock.objects.get().run_id == run.pk


def test_of_two_runs_on_one_device_one_begins_and_the_other_stays_queued(make_run):
    runs = [make_run() for _ in range(4)]
    results = at_once(*[lambda run=run: claims.claim(run.pk) for run in runs])
    claimed = [result for result in results if isinstance(result, Run)]
    assert [result for result in results if result not in claimed] == [None] * 3
    assert len(claimed) == 1
    assert Run.objects.filter(status="queued", heartbeat_at__isnull=True, worker_pid__isnull=True).count() == 3
    assert DeviceLock.objects.get().run == claimed[0]


def test_runs_on_two_devices_begin_both(make_run, make_device):
    runs = [make_run(), make_run(device=make_device("homelab-server-02"))]
    results = at_once(*[lambda run=run: claims.claim(run.pk) for run in runs])
    assert [result.pk for result in results] == [run.pk for run in runs]


def test_a_claimed_run_says_who_works_on_it(run):
    claims.claim(run.pk)
    run.refresh_from_db()
    assert run.status == "running"
    assert (run.machine, run.worker_pid) == (processes.machine_id(), os.getpid())
    assert processes.is_running(run.worker_pid, run.worker_started)
    assert run.heartbeat_at >= run.created_at
    assert not run.device_clean


@pytest.mark.parametrize("status", ["running", "succeeded", "failed", "cancelled", "lost"])
def test_only_a_queued_run_can_be_claimed(run, status):
    Run.objects.update(status=status)
    assert claims.claim(run.pk) is None
    assert not DeviceLock.objects.exists()


def test_a_claim_that_breaks_half_way_leaves_the_run_queued(run, monkeypatch):
    monkeypatch.setattr(claims, "_lock_device", lambda run: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        claims.claim(run.pk)
    run.refresh_from_db()
    assert (run.status, run.worker_pid) == ("queued", None)


def test_a_beat_counts_only_for_the_worker_that_has_the_run(run):
    mine = claims.claim(run.pk)
    before = mine.heartbeat_at
    assert claims.heartbeat(mine)
    run.refresh_from_db()
    assert run.heartbeat_at > before
    Run.objects.update(worker_pid=os.getpid() + 1)
    assert not claims.heartbeat(mine)
    Run.objects.update(worker_pid=os.getpid(), status="lost")
    assert not claims.heartbeat(mine)


def test_ending_frees_the_device_and_calls_the_domain_once(run, listen):
    told = []
    listen(lambda ended: told.append((ended.status, ended.outcome)))
    mine = claims.claim(run.pk)
    results = at_once(*[lambda: claims.end(mine, RunResult("succeeded"), outcome={"a": 1})] * 4)
    assert sorted(results) == [False, False, False, True]
    assert told == [("succeeded", {"a": 1})]
    assert not DeviceLock.objects.exists()
    mine.refresh_from_db()
    assert mine.finished_at
    assert mine.device_clean


def test_who_comes_second_changes_nothing(run):
    mine = claims.claim(run.pk)
    assert claims.end(mine, RunResult("cancelled", "first"))
    assert not claims.end(mine, RunResult("succeeded", "second"))
    run.refresh_from_db()
    assert (run.status, run.status_detail) == ("cancelled", "first")


def test_an_ending_does_not_take_the_lock_of_the_run_that_came_after(make_run):
    first, second = make_run(), make_run()
    mine = claims.claim(first.pk)
    claims.end(mine, RunResult("succeeded"))
    claims.claim(second.pk)
    claims.end(mine, RunResult("failed"))
    assert DeviceLock.objects.get().run_id == second.pk


def test_a_domain_that_breaks_does_not_keep_the_run_from_ending(run, listen, caplog):
    def broken(ended):
        Run.objects.filter(pk=ended.pk).update(title="half done")
        raise KeyError("name")

    listen(broken)
    assert claims.end(claims.claim(run.pk), RunResult("succeeded"))
    run.refresh_from_db()
    assert (run.status, run.title) == ("succeeded", "Provision laravel")
    assert not DeviceLock.objects.exists()
    assert "a listener failed" in caplog.text


class TestALostRun:
    def lose(self, run):
        claims.end(claims.claim(run.pk), RunResult("lost", "The worker that ran it died."))
        run.refresh_from_db()
        return run

    def test_is_queued_again_as_a_run_of_its_own(self, run, enqueued):
        enqueued.clear()
        self.lose(run)
        retry = run.retried_by
        assert (run.status, retry.status, retry.plan) == ("lost", "queued", run.plan)
        assert run.status_detail == "The worker that ran it died. It is queued again."
        assert [step.role for step in retry.steps.all()] == ["nginx", "php"]
        assert enqueued == [str(retry.pk)]

    def test_is_not_repeated_twice(self, run):
        again = self.lose(self.lose(run).retried_by)
        assert Run.objects.count() == 2
        assert again.status_detail.endswith("Provision again to continue where it stopped.")

    def test_is_not_repeated_where_that_is_not_safe(self, run):
        Run.objects.update(repeatable=False)
        assert self.lose(run).status == "lost"
        assert Run.objects.count() == 1

    def test_that_was_to_be_cancelled_is_cancelled_and_not_repeated(self, run):
        mine = claims.claim(run.pk)
        Run.objects.update(cancel_requested_at=mine.started_at)
        claims.end(mine, RunResult("lost", "The worker that ran it died."))
        run.refresh_from_db()
        assert (run.status, Run.objects.count()) == ("cancelled", 1)
        assert run.status_detail == "Cancelled on request. The worker that ran it died."

    def test_calls_the_domain_when_its_repetition_is_queued_already(self, run, listen):
        seen = []
        listen(lambda ended: seen.append(Run.objects.active().count()))
        self.lose(run)
        assert seen == [1]
