from __future__ import annotations

import threading
import time

import pytest
from django.db import IntegrityError, OperationalError

from forgelab.runs import writer
from forgelab.runs.models import Event, Run
from forgelab.runs.writer import EventWriter

pytestmark = pytest.mark.django_db(transaction=True)


def event(counter, kind="runner_on_ok", role="nginx", **more):
    created = f"2026-01-01T00:00:00.{counter:06}"
    return {"counter": counter, "kind": kind, "created": created, "role": role, "task": "t",
            "host": "web", "seconds": 0.1, "ignored": False, "stdout": "out", "result": {"changed": True},
            **more}  # fmt: skip


@pytest.fixture
def open_writer(run):
    opened = []

    def make() -> EventWriter:
        opened.append(EventWriter(run.pk))
        return opened[-1]

    yield make
    for each in opened:
        each.finish(timeout=30)


@pytest.fixture
def stores(monkeypatch):
    """Every batch that was tried, by its counters; what `refuse` returns or raises decides."""
    real, tried = EventWriter._store, []
    refuse = {"with": None, "times": 0}

    def store(self, events, times, steps):
        tried.append([event["counter"] for event in events])
        if len(tried) <= refuse["times"]:
            raise refuse["with"]
        return real(self, events, times, steps)

    monkeypatch.setattr(EventWriter, "_store", store)
    monkeypatch.setattr(writer, "RETRY", 0.01)
    tried_and_refuse = type("Stores", (), {"tried": tried, "refuse": refuse})
    return tried_and_refuse


def counters():
    return list(Event.objects.order_by("pk").values_list("counter", flat=True))


def test_everything_is_stored_in_order_when_it_finishes(open_writer, run):
    opened = open_writer()
    for counter in range(1, 1001):
        opened.put(event(counter))
    assert opened.finish()
    assert counters() == list(range(1, 1001))
    run.refresh_from_db()
    assert run.last_counter == 1000


def test_many_events_go_in_few_batches(open_writer, stores):
    opened = open_writer()
    for counter in range(1, 501):
        opened.put(event(counter))
    opened.finish()
    assert len(stores.tried) <= 7
    assert max(map(len, stores.tried)) <= 100


def test_a_lonely_event_is_stored_at_once(open_writer, run):
    open_writer().put(event(1))
    deadline = time.monotonic() + 30
    while not counters():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_database_that_refuses_for_a_while_gets_everything_in_order(open_writer, stores):
    stores.refuse |= {"with": OperationalError("the server is gone"), "times": 3}
    opened = open_writer()
    for counter in range(1, 251):
        opened.put(event(counter))
    assert opened.finish()
    assert counters() == list(range(1, 251))
    assert stores.tried[0] == stores.tried[1] == stores.tried[2]


def test_an_event_is_stored_once_although_its_batch_is_tried_again(open_writer, monkeypatch):
    real, tries = EventWriter._store, []

    def committed_but_not_heard_of(self, *args):
        real(self, *args)
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("the connection broke after COMMIT")

    monkeypatch.setattr(EventWriter, "_store", committed_but_not_heard_of)
    opened = open_writer()
    opened.put(event(1))
    opened.put(event(2))
    assert opened.finish()
    assert len(tries) >= 2
    assert counters() == [1, 2]


def test_what_the_database_never_takes_is_stored_without_its_output(open_writer, stores):
    stores.refuse |= {"with": IntegrityError("no"), "times": 1}
    opened = open_writer()
    opened.put(event(1, stdout="bad", result={"changed": True, "msg": "bad"}))
    assert opened.finish()
    assert list(Event.objects.values_list("counter", "stdout", "result")) == [(1, "", None)]


def test_a_run_that_is_gone_ends_the_writer_instead_of_trying_for_ever(open_writer, run):
    opened = open_writer()
    Run.objects.all().delete()
    opened.put(event(1))
    assert not opened.finish(timeout=10)
    assert opened.put(event(2))


def test_a_database_that_does_not_come_back_is_reported(open_writer, stores):
    stores.refuse |= {"with": OperationalError("gone"), "times": 10_000}
    opened = open_writer()
    opened.put(event(1))
    assert not opened.finish(timeout=0.3)
    opened._thread.join(5)
    assert not opened._thread.is_alive()


def test_a_full_queue_is_reported_instead_of_blocking(run, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(EventWriter, "_store", lambda self, *args: gate.wait(20))
    opened = EventWriter(run.pk)
    opened._queue.maxsize = 5
    assert any(not opened.put(event(counter), timeout=0.05) for counter in range(1, 300))
    gate.set()
    opened.finish(timeout=30)


def test_steps_are_stored_with_their_events(open_writer, run):
    opened = open_writer()
    opened.put(event(1, "playbook_on_task_start"))
    opened.put(event(2))
    opened.put(event(3, "runner_on_failed", result={"msg": "no space left"}))
    opened.finish()
    step = run.steps.get(role="nginx")
    assert (step.status, step.changed, step.detail) == ("failed", True, "t: no space left")
    assert opened.summary.failure == "t: no space left"
    assert list(Event.objects.values_list("failed", "changed")) == [(False, True), (False, True), (True, False)]


def test_what_a_role_shows_is_in_the_runs_outcome_at_once(open_writer, run):
    opened = open_writer()
    opened.put(event(1, result={"forgelab": {"versions": [{"name": "nginx"}]}}))
    opened.finish()
    run.refresh_from_db()
    assert run.outcome == {"versions": [{"name": "nginx"}]}


@pytest.mark.parametrize("created", [None, "", "yesterday", "2026-01-01T00:00:00", "2026-01-01T00:00:00.5+00:00"])
def test_an_event_without_a_right_time_is_stored_with_one(open_writer, created):
    opened = open_writer()
    opened.put(event(1, created=created))
    assert opened.finish()
    assert Event.objects.get().created_at.tzinfo
