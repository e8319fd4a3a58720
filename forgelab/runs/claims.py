"""Who works on what: claiming a run with its device, proving to be alive, ending it. Each is one transaction."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from forgelab.lib import processes
from forgelab.runs import kinds, services
from forgelab.runs.models import DeviceLock, Run, Step
from forgelab.runs.results import RunResult


class DeviceBusy(Exception):
    """Another run holds the device."""


def claim(run_id: UUID | str) -> Run | None:
    """Take the queued run and its device for this process; None when it is no longer queued or the device is held.

    The conditional UPDATE is the claim: of many workers that get one run's id, it changes a row for one only.
    """
    pid = os.getpid()
    now = timezone.now()
    try:
        with transaction.atomic():
            claimed = Run.objects.filter(pk=run_id, status=Run.Status.QUEUED).update(
                status=Run.Status.RUNNING,
                started_at=now,
                heartbeat_at=Now(),  # the database's clock: those of several machines differ
                machine=processes.machine_id(),
                worker_pid=pid,
                worker_started=processes.start_time(pid) or "",
                device_clean=False,
            )
            if claimed != 1:
                return None
            run = Run.objects.select_related("device__identity").get(pk=run_id)
            _lock_device(run)
            return run
    except DeviceBusy:
        return None


def _lock_device(run: Run) -> None:
    try:
        with transaction.atomic():
            DeviceLock.objects.create(device=run.device, run=run)
    except IntegrityError as error:
        raise DeviceBusy from error


def heartbeat(run: Run) -> bool:
    """Say that the run's worker is alive. False when the run was taken away from it (called lost)."""
    alive = Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING, worker_pid=run.worker_pid, machine=run.machine)
    return alive.update(heartbeat_at=Now()) == 1


def release(run: Run) -> None:
    """Say that this worker's thread is done with the run. Of one that ended and is not released, the thread hangs."""
    held = Run.objects.filter(pk=run.pk, machine=run.machine, worker_pid=run.worker_pid)
    held.update(worker_pid=None)


@transaction.atomic
def end(run: Run, result: RunResult, *, steps: Iterable[Step] = (), outcome: dict[str, Any] | None = None) -> bool:
    """Close a running run, free its device and notify its kind's listeners; queue a lost one again, once.

    False, and nothing done, when it was closed before: a second caller changes nothing.
    """
    fields: dict[str, Any] = {"outcome": outcome} if outcome is not None else {}
    running = Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING, worker_pid=run.worker_pid, machine=run.machine)
    current = running.select_for_update().first()
    if current is None:
        return False
    again = False
    if result.status == Run.Status.LOST:
        result, again = _lost_result(current, result)
    running.update(
        status=result.status,
        status_detail=result.detail,
        device_clean=result.device_clean,
        finished_at=timezone.now(),
        **fields,
    )
    DeviceLock.objects.filter(run=run).delete()
    Step.objects.bulk_update(list(steps), ["status", "seconds", "changed", "detail"])
    run.refresh_from_db()
    if again:
        services.run_repeat(run=run)
    kinds.notify_end(run)
    return True


def _lost_result(run: Run, result: RunResult) -> tuple[RunResult, bool]:
    """The result of a lost run, and whether it is queued again: only if that is safe, once, and not after a cancel."""
    if run.cancel_requested_at:
        detail = f"Cancelled on request. {result.detail}"
        return RunResult(Run.Status.CANCELLED, detail, result.device_clean), False
    again = run.repeatable and run.retry_of_id is None
    then = "It is queued again." if again else "Provision again to continue where it stopped."
    return RunResult(result.status, f"{result.detail} {then}", result.device_clean), again
