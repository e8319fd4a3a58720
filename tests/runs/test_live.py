from __future__ import annotations

import asyncio
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from forgelab.runs import live
from forgelab.runs.models import Event, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_threads(monkeypatch):
    """Threads that end with the test, and their connections with them."""
    with ThreadPoolExecutor(max_workers=4) as threads:
        monkeypatch.setattr(live, "_threads", threads)
        yield
        closing = [threads.submit(lambda: (time.sleep(0.05), connection.close())) for _ in range(4)]
        assert all(future.exception(10) is None for future in closing)


async def away(function):
    """Call it in a thread, as a view or a worker would."""

    def call():
        try:
            function()
        finally:
            connection.close()

    await sync_to_async(call)()


def store(run, *counters):
    Event.objects.bulk_create(
        Event(run=run, counter=n, kind="runner_on_ok", created_at=timezone.now(), stdout=f"line {n}") for n in counters
    )
    Run.objects.filter(pk=run.pk).update(last_counter=counters[-1])


def finish(run):
    Run.objects.filter(pk=run.pk).update(status="succeeded", finished_at=timezone.now())


def follow(run, after=0, meanwhile=None):
    """Every message of the run until the end; `meanwhile` is called once the first snapshot has come."""

    async def all_of_it():
        messages = []
        async for message in live.watch(run.pk, after):
            messages.append(message)
            if meanwhile and message["event"] == "snapshot" and len(messages) < 3:
                await away(meanwhile)
        return messages

    return asyncio.run(asyncio.wait_for(all_of_it(), 20))


def counters(messages):
    return [event["counter"] for message in messages if message["event"] == "events" for event in message["data"]]


def test_an_ended_run_shows_its_events_its_snapshot_and_the_end(run):
    store(run, 1, 2, 5)
    finish(run)
    messages = follow(run)
    assert [message["event"] for message in messages] == ["events", "snapshot", "end"]
    assert counters(messages) == [1, 2, 5]
    assert [message["id"] for message in messages] == [5, 5, 5]
    assert messages[1]["data"]["status"] == "succeeded"
    assert messages[2]["data"] == {"status": "succeeded", "retry": None}


def test_who_comes_back_gets_only_what_is_new(run):
    store(run, 1, 2, 3, 4)
    finish(run)
    assert counters(follow(run, after=2)) == [3, 4]


def test_what_happens_meanwhile_is_reported_in_order_and_once(run):
    store(run, 1, 2)

    def go_on():
        if not Event.objects.filter(counter=3).exists():
            store(run, 3, 4)
            finish(run)

    messages = follow(run, meanwhile=go_on)
    assert counters(messages) == [1, 2, 3, 4]
    assert messages[-1]["event"] == "end"
    assert messages[-2]["data"]["status"] == "succeeded"


def test_many_events_come_in_pages_and_none_is_lost(run):
    store(run, *range(1, 1202))
    finish(run)
    messages = follow(run)
    assert [len(message["data"]) for message in messages if message["event"] == "events"] == [500, 500, 201]
    assert counters(messages) == list(range(1, 1202))


def test_a_run_that_does_not_exist_is_reported(run):
    run.pk = uuid.uuid4()
    with pytest.raises(Run.DoesNotExist):
        follow(run)


def test_a_run_that_is_deleted_while_watched_ends_the_watching(run):
    async def watch_until_it_is_gone():
        watching = live.watch(run.pk)
        await anext(watching)
        while True:
            following = asyncio.ensure_future(anext(watching))
            done, _ = await asyncio.wait([following], timeout=4 * live.LOOK)
            if not done:  # nothing happens any more: now it is deleted
                await away(lambda: Run.objects.all().delete())
            await asyncio.wait_for(following, 10)

    with pytest.raises(Run.DoesNotExist):
        asyncio.run(watch_until_it_is_gone())


def test_many_watchers_cost_one_query_a_look(run, monkeypatch):
    looks = []
    real = live._read_marks
    monkeypatch.setattr(live, "_read_marks", lambda ids: looks.append(len(ids)) or real(ids))

    async def watch_by_many():
        async def one():
            return [message["event"] async for message in live.watch(run.pk)]

        watchers = [asyncio.create_task(one()) for _ in range(20)]
        began = time.monotonic()
        while len(looks) < 5:
            await asyncio.sleep(live.LOOK)
        seen, most = len(looks), 2 + (time.monotonic() - began) / live.LOOK
        await away(lambda: finish(run))
        return seen, most, await asyncio.wait_for(asyncio.gather(*watchers), 60)

    seen, most, answers = asyncio.run(watch_by_many())
    assert seen <= most
    assert set(looks) == {1}
    assert {answer[-1] for answer in answers} == {"end"}


def test_a_database_that_fails_once_does_not_stop_the_looking(run, monkeypatch):
    real, failed = live._read_marks, []

    def fails_once(ids):
        if not failed:
            failed.append(1)
            raise RuntimeError("the connection is closed")
        return real(ids)

    monkeypatch.setattr(live, "_read_marks", fails_once)
    assert follow(run, meanwhile=lambda: finish(run))[-1]["event"] == "end"
    assert failed


def test_nobody_looks_when_nobody_watches(run):
    finish(run)

    async def watch_and_leave():
        async for _ in live.watch(run.pk):
            pass
        await asyncio.sleep(3 * live.LOOK)
        return live.hub()._task.done(), live.hub()._watchers, live.hub()._seen

    assert asyncio.run(watch_and_leave()) == (True, {}, {})
