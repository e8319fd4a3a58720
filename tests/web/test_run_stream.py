"""The stream of the live page, with a `watch` that tells a story of its own."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from forgelab.accounts.models import User
from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.runs.selectors import run_snapshot
from forgelab.web import run_stream
from tests import factories

EVENT = {
    "counter": 7, "kind": "runner_on_ok", "role": "nginx", "task": "t", "host": "h", "changed": True, "failed": False,
    "seconds": 1.0, "stdout": "changed: [<homelab>]", "created_at": "2025-10-01T00:00:00Z",
}  # fmt: skip
Tell = Callable[..., list[int]]


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Let `watch` say these messages, one after a wait; returns the counters it was asked to resume from."""

    def told(*messages: dict[str, Any], wait: float = 0) -> list[int]:
        resumed: list[int] = []

        async def watch(run_id: uuid.UUID, after: int) -> AsyncIterator[dict[str, Any]]:
            resumed.append(after)
            for message in messages:
                await asyncio.sleep(wait)
                yield message

        monkeypatch.setattr(run_stream, "watch", watch)
        return resumed

    return told


def collect(run_id: uuid.UUID, after: int = 0) -> list[str]:
    async def all_of_it() -> list[str]:
        return [part async for part in run_stream.sent(run_id, after)]

    return asyncio.run(all_of_it())


def request(user: User | None, run_id: uuid.UUID, query: str = "", **headers: str) -> tuple[Any, str]:
    """The answer of the view, and its body."""

    async def ask() -> tuple[Any, str]:
        client = AsyncClient()
        if user:
            await client.aforce_login(user)
        response = await client.get(f"/runs/{run_id}/stream/{query}", headers=headers)
        body = [part.decode() async for part in response] if response.streaming else [response.content.decode()]
        await sync_to_async(connections.close_all)()  # those of the thread that served the view
        return response, "".join(body)

    return asyncio.run(ask())


def data_of(frame: str) -> str:
    """The frame's data as a browser puts its lines together."""
    return "\n".join(line[6:] for line in frame.rstrip("\n").split("\n") if line.startswith("data: "))


def test_lines_come_as_html_with_the_counter_to_resume_from(tell: Tell) -> None:
    tell({"event": "events", "id": 7, "data": [EVENT, EVENT | {"stdout": "  ok\r\n"}]})

    frame = collect(uuid.uuid4())[-1]

    assert frame.startswith("event: log\nid: 7\ndata: ")
    assert frame.endswith("\ndata: \n\n")  # the last line ends as well
    assert data_of(frame).splitlines() == [
        '<span class="changed">changed: [&lt;homelab&gt;]</span>', '<span class="changed">  ok</span>',
    ]  # fmt: skip


def test_a_snapshot_comes_as_the_same_parts_that_the_page_has(tell: Tell, best: Device) -> None:
    run = factories.run(best, Run.Status.RUNNING)
    tell({"event": "snapshot", "id": 2, "data": run_snapshot(run_id=run.pk)})

    frame = collect(run.pk)[-1]

    assert frame.startswith("event: panel\nid: 2\ndata: ")
    shown = data_of(frame)
    assert '<li id="step-4" class="running" aria-current="step" hx-swap-oob="true">' in shown
    assert shown.count("<li ") == 9
    assert 'id="announcement" hx-swap-oob="innerHTML">Setting up PHP 8.2, step 4 of 9.<' in shown
    assert "<title>33% · Provisioning web · ForgeLab</title>" in shown
    for part in ("run-heading", "run-progress"):
        assert f'id="{part}" hx-swap-oob="true"' in shown


def test_only_what_changed_is_sent_again(tell: Tell, best: Device) -> None:
    run = factories.run(best, Run.Status.RUNNING)
    before = run_snapshot(run_id=run.pk)
    run.steps.filter(position=5).update(detail="<slow>")
    tell(*({"event": "snapshot", "id": 2, "data": data} for data in (before, before, run_snapshot(run_id=run.pk))))

    _first, same, changed = collect(run.pk)[1:]

    assert data_of(same) == ""
    assert re.findall(r'id="([\w-]+)"', data_of(changed)) == ["step-5"]
    assert "&lt;slow&gt;" in data_of(changed)


def test_the_end_is_reported(tell: Tell) -> None:
    tell({"event": "end", "id": 9, "data": {"status": "lost", "retry": "an-id"}})

    assert collect(uuid.uuid4())[-1] == "event: end\nid: 9\ndata: \n\n"


def test_a_comment_keeps_the_connection_open_when_there_is_no_news(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_stream, "HEARTBEAT", 0.01)
    tell({"event": "end", "id": 1, "data": {}}, wait=0.05)

    frames = collect(uuid.uuid4())

    assert ": still here\n\n" in frames
    assert frames[-1].startswith("event: end")


def test_a_stream_ends_after_a_while_so_that_the_session_is_looked_at_again(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_stream, "HEARTBEAT", 0.01)
    monkeypatch.setattr(run_stream, "LONGEST", 0.05)
    tell({"event": "end", "id": 1, "data": {}}, wait=60)

    assert set(collect(uuid.uuid4())[1:]) == {": still here\n\n"}


def test_a_browser_that_goes_away_ends_the_watching(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    async def watch(run_id: uuid.UUID, after: int) -> AsyncIterator[dict[str, Any]]:
        try:
            yield {"event": "end", "id": 1, "data": {}}
            await asyncio.sleep(60)
        finally:
            closed.append(True)

    async def leave_early() -> None:
        stream = run_stream.sent(uuid.uuid4(), 0)
        await anext(stream)
        await anext(stream)
        await stream.aclose()

    monkeypatch.setattr(run_stream, "watch", watch)
    asyncio.run(leave_early())

    assert closed == [True]


@pytest.mark.django_db(transaction=True)
def test_the_answer_is_a_stream_that_no_proxy_holds_back(tell: Tell) -> None:
    tell({"event": "end", "id": 1, "data": {}})
    run = factories.run(factories.device("homelab"))

    response, body = request(User.objects.create_user("ada"), run.pk)

    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["Cache-Control"] == "no-store"
    assert "event: end" in body


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("query", "headers", "counter"),
    [
        ("?after=5", {}, 5),
        ("?after=5", {"Last-Event-ID": "9"}, 9),
        ("?after=-1", {}, 0),
        ("?after=x", {}, 0),
        ("", {}, 0),
    ],
)
def test_a_stream_resumes_where_the_browser_stopped(
    tell: Tell, query: str, headers: dict[str, str], counter: int
) -> None:
    resumed = tell()
    run = factories.run(factories.device("homelab"))

    request(User.objects.create_user("ada"), run.pk, query, **headers)

    assert resumed == [counter]


@pytest.mark.django_db(transaction=True)
def test_without_a_login_there_is_no_stream(tell: Tell) -> None:
    resumed = tell()
    run = factories.run(factories.device("homelab"))

    response, _ = request(None, run.pk)

    assert response.status_code == 401
    assert resumed == []


@pytest.mark.django_db(transaction=True)
def test_there_is_no_stream_of_a_run_that_does_not_exist(tell: Tell) -> None:
    response, _ = request(User.objects.create_user("ada"), uuid.uuid4())

    assert response.status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_real_hub_shows_a_finished_run_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create_user("ada")
    run = factories.run(factories.device("homelab"), Run.Status.SUCCEEDED)

    with ThreadPoolExecutor(max_workers=1) as threads:  # one that ends with the test, and its connection with it
        monkeypatch.setattr("forgelab.runs.live._threads", threads)
        _, body = request(user, run.pk)
        threads.submit(connections.close_all).result()

    assert [line for line in body.splitlines() if line.startswith("event: ")] == [
        "event: log", "event: panel", "event: end",
    ]  # fmt: skip
