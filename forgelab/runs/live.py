"""Following a run as it happens, for server-sent events: `async for message in watch(run_id, after)`.

One hub per event loop looks at all watched runs together, so a hundred open pages cost one small query a look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import close_old_connections

from forgelab.runs.models import Event, Run
from forgelab.runs.selectors import event_data, run_snapshot

logger = logging.getLogger(__name__)

LOOK = 0.1  # seconds between two looks at the watched runs
PAGE = 500  # events in one message
# Its own threads: a slow look must not hold up the requests that share Django's, nor the other way round.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="live")


class Hub:
    """Wakes those who watch a run when its row changes."""

    def __init__(self) -> None:
        self._watchers: dict[UUID, set[asyncio.Event]] = {}
        self._seen: dict[UUID, tuple[Any, ...]] = {}
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, run_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set at every change of the run, as long as the block lasts."""
        signal = asyncio.Event()
        self._watchers.setdefault(run_id, set()).add(signal)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_again_and_again())
        try:
            yield signal
        finally:
            self._watchers[run_id].discard(signal)
            if not self._watchers[run_id]:
                del self._watchers[run_id]
                self._seen.pop(run_id, None)

    async def _look_again_and_again(self) -> None:
        while self._watchers:
            try:
                self._compare(await _in_thread(_read_marks, list(self._watchers)))
            except Exception:  # whatever it is: with this loop ended, every page would stand still
                logger.warning("the watched runs could not be read, trying again", exc_info=True)
            await asyncio.sleep(LOOK)

    def _compare(self, marks: dict[UUID, tuple[Any, ...]]) -> None:
        for run_id, signals in self._watchers.items():
            mark = marks.get(run_id, ())  # a run that is gone has changed as well
            if self._seen.get(run_id) != mark:
                self._seen[run_id] = mark
                for signal in signals:
                    signal.set()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


async def watch(run_id: UUID, after: int = 0) -> AsyncIterator[dict[str, Any]]:
    """Messages of the run from event `after` on, until it has ended: `events` batches, `snapshot`s, at last `end`.

    Each has `event`, `id` (the counter to resume from) and `data`. Raises `Run.DoesNotExist`.
    """
    with hub().watching(run_id) as changed:
        while True:
            changed.clear()
            snapshot, events = await _in_thread(_read, run_id, after)
            if events:
                after = events[-1]["counter"]
                yield {"event": "events", "id": after, "data": events}
            if len(events) == PAGE:
                continue
            yield {"event": "snapshot", "id": after, "data": snapshot}
            if snapshot["finished_at"]:
                yield {"event": "end", "id": after, "data": {"status": snapshot["status"], "retry": snapshot["retry"]}}
                return
            await changed.wait()


async def _in_thread(function: Any, *args: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_threads, function, *args)


def _read_marks(run_ids: list[UUID]) -> dict[UUID, tuple[Any, ...]]:
    close_old_connections()
    fields = ("pk", "last_counter", "status", "cancel_requested_at", "finished_at")
    return {row[0]: row[1:] for row in Run.objects.filter(pk__in=run_ids).values_list(*fields)}


def _read(run_id: UUID, after: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    close_old_connections()
    snapshot = run_snapshot(run_id=run_id)  # first: events stored after it come with the next one
    events = Event.objects.filter(run_id=run_id, counter__gt=after).order_by("counter").defer("result")
    return snapshot, [event_data(event) for event in events[:PAGE]]
