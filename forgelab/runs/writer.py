"""Writes a run's events and steps to the database in small batches, from a thread of its own.

The reader of Ansible's output must never wait for the database: ansible-runner stalls when its handler is slow.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from forgelab.runs.events import is_failure
from forgelab.runs.models import Event, Run, Step
from forgelab.runs.results import RunSummary
from forgelab.runs.steps import StepTracker, failure_message

logger = logging.getLogger(__name__)

BATCH = 100  # rows
LINGER = 0.1  # seconds that the first event of a batch waits for company
RETRY = 0.5  # seconds between two tries of a batch the database refused
STEP_FIELDS = ("status", "seconds", "changed", "detail")


class EventWriter:
    """Takes events from the runner and stores them; `finish` returns once all are stored.

    `summary` and `tracker` follow the events as they are stored, so what they say is never ahead of the database.
    """

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self.summary = RunSummary()
        self.tracker = StepTracker(Step.objects.filter(run_id=run_id))
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue(maxsize=20_000)
        self._given_up = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._work, name=f"events-{run_id}", daemon=True)
        self._thread.start()

    def put(self, event: dict[str, Any], timeout: float | None = None) -> bool:
        """Take an event; False when there was no room for it within `timeout` seconds."""
        if self._failed:
            return True  # it is too late for this one too, and `finish` will say so
        try:
            self._queue.put(event, timeout=timeout)
        except queue.Full:
            return False
        return True

    def finish(self, timeout: float = 60) -> bool:
        """Store what is left; False when the database did not take all of it within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=timeout)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._given_up.set()
        return not self._thread.is_alive() and not self._failed

    def _work(self) -> None:
        try:
            while batch := self._next_batch():
                self._store_until_done([event for event in batch if event is not None])
                if batch[-1] is None or self._failed:
                    return
        except Exception:
            logger.exception("run %s: its events cannot be stored", self.run_id)
            self._failed = True
        finally:
            connection.close()

    def _next_batch(self) -> list[dict[str, Any] | None]:
        batch = [self._queue.get()]
        deadline = time.monotonic() + LINGER
        while batch[-1] is not None and len(batch) < BATCH:
            try:
                batch.append(self._queue.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
        return batch

    def _store_until_done(self, events: list[dict[str, Any]]) -> None:
        if not events:
            return
        times = [_created(event) for event in events]
        steps = self._follow(events, times)
        bare = False
        while not self._given_up.is_set():
            try:
                return self._store(events, times, steps)
            except (OperationalError, InterfaceError):
                logger.warning("run %s: events not stored, trying again", self.run_id, exc_info=True)
                connection.close()
                time.sleep(RETRY)
            except Exception:
                # Trying the same again would never end. What a task printed is less than the rest of the run.
                if bare:
                    raise
                logger.exception("run %s: events not stored, trying without their output", self.run_id)
                bare, events = True, [{**event, "stdout": "", "result": None} for event in events]
        self._failed = True

    def _follow(self, events: list[dict[str, Any]], times: list[datetime]) -> dict[int, Step]:
        changed: dict[int, Step] = {}
        for event, at in zip(events, times, strict=True):
            changed |= {step.position: step for step in self.tracker.take(event, at)}
            if is_failure(event):
                self.summary.failure = failure_message(event)
            self.summary.take(event)
        return changed

    @transaction.atomic
    def _store(self, events: list[dict[str, Any]], times: list[datetime], steps: dict[int, Step]) -> None:
        rows = [_row(self.run_id, event, at) for event, at in zip(events, times, strict=True)]
        Event.objects.bulk_create(rows, ignore_conflicts=True)
        if steps:
            Step.objects.bulk_update(steps.values(), STEP_FIELDS)
        Run.objects.filter(pk=self.run_id).update(last_counter=events[-1]["counter"], outcome=self.summary.learned)


def _created(event: dict[str, Any]) -> datetime:
    """When Ansible made the event; ansible-runner writes UTC in ISO form."""
    try:
        made = datetime.fromisoformat(event["created"])
    except (TypeError, ValueError):
        return timezone.now()
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def _row(run_id: UUID, event: dict[str, Any], at: datetime) -> Event:
    result = event["result"] or {}
    return Event(
        run_id=run_id,
        counter=event["counter"],
        kind=event["kind"],
        role=event["role"],
        task=event["task"],
        host=event["host"],
        changed=bool(result.get("changed")) if event["kind"] != "playbook_on_stats" else False,
        failed=is_failure(event),
        seconds=event["seconds"],
        stdout=event["stdout"],
        result=result or None,
        created_at=at,
    )
