"""Who works on what: claiming a run with its device, proving to be alive, ending it. Each is one transaction."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from forgelab.accounts.actors import SYSTEM
from forgelab.lib import processes
from forgelab.runs import registry, services
from forgelab.runs.models import DeviceLock, Run, Step
from forgelab.runs.outcome import Ending

logger = logging.getLogger(__name__)


class DeviceBusy(Exception):
    """Another run holds the device."""


def claim(run_id: UUID | str) -> Run | None:
    """Take the queued run and its device for this process; None when it is no longer queued or the device is held.

    The conditional UPDATE is the claim: of many workers told of one run, it changes a row for one only.
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
            _hold(run)
            return run
    except DeviceBusy:
        return None


def _hold(run: Run) -> None:
    try:
        with transaction.atomic():
            DeviceLock.objects.create(device=run.device, run=run)
    except IntegrityError as error:
        raise DeviceBusy from error


def beat(run: Run) -> bool:
    """Say that the run's worker is alive. False when the run was taken away from it (called lost)."""
    alive = Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING, worker_pid=run.worker_pid, machine=run.machine)
    return alive.update(heartbeat_at=Now()) == 1


@transaction.atomic
def end(run: Run, ending: Ending, *, steps: Iterable[Step] = (), outcome: dict[str, Any] | None = None) -> bool:
    """Close a running run, free its device and tell the domain it was for; queue a lost one again, once.

    False, and nothing done, when it was closed before: whoever comes second changes nothing.
    """
    fields: dict[str, Any] = {"outcome": outcome} if outcome is not None else {}
    running = Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING, worker_pid=run.worker_pid, machine=run.machine)
    current = running.select_for_update().first()
    if current is None:
        return False
    again = False
    if ending.status == Run.Status.LOST:
        ending, again = _of_lost(current, ending)
    running.update(
        status=ending.status,
        status_detail=ending.detail,
        device_clean=ending.device_clean,
        finished_at=timezone.now(),
        **fields,
    )
    DeviceLock.objects.filter(run=run).delete()
    Step.objects.bulk_update(list(steps), ["status", "seconds", "changed", "detail"])
    run.refresh_from_db()
    if again:
        services.run_repeat(run=run, actor=SYSTEM)
    _tell_the_domain(run)
    return True


def _of_lost(run: Run, ending: Ending) -> tuple[Ending, bool]:
    """How a lost run ends, and whether it is queued again: only where that is safe, once, and not against a cancel."""
    if run.cancel_requested_at:
        detail = f"Cancelled on request. {ending.detail}"
        return Ending(Run.Status.CANCELLED, detail, ending.device_clean), False
    again = run.repeatable and run.retry_of_id is None
    then = "It is queued again." if again else "Provision again to continue where it stopped."
    return Ending(ending.status, f"{ending.detail} {then}", ending.device_clean), again


def _tell_the_domain(run: Run) -> None:
    """A run that could not be closed would hold its device for ever, so nothing a domain does may prevent it."""
    try:
        with transaction.atomic():
            registry.finished(run)
    except Exception:
        logger.exception("run %s has ended, but what it was for could not take that in", run.pk)
