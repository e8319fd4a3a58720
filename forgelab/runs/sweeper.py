"""Puts right what a dead worker or a lost message left behind. Runs every ten seconds; twice at once is harmless."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from forgelab.lib import processes
from forgelab.runs import claims, orphans, queue
from forgelab.runs.models import Run, RunQuerySet
from forgelab.runs.results import RunResult
from forgelab.runs.steps import StepTracker
from forgelab.runs.workspace import remove_stale

logger = logging.getLogger(__name__)


def sweep() -> None:
    """Close runs whose worker died, end workers that hang, enqueue forgotten runs again, remove folders nobody uses."""
    for run in Run.objects.filter(status=Run.Status.RUNNING).select_related("device__identity").defer("plan"):
        try:
            if is_dead(run):
                mark_lost(run)
        except Exception:
            logger.exception("run %s: its worker seems dead, but it could not be closed", run.pk)
    end_hung_workers()
    for run_id in forgotten():
        queue.enqueue(run_id)
    remove_stale(_active)


def is_dead(run: Run) -> bool:
    """Whether the run's worker is surely gone, or silent for so long that it has given up by itself."""
    if run.machine == processes.machine_id() and not processes.is_running(run.worker_pid or 0, run.worker_started):
        return True
    return not _alive().filter(pk=run.pk).exists()


def _alive() -> RunQuerySet:
    """Running runs with a recent heartbeat, by the database's clock alone, which also wrote it."""
    since = Now() - timedelta(seconds=settings.RUN_LOST)
    return Run.objects.filter(status=Run.Status.RUNNING, heartbeat_at__gte=since)


def forgotten() -> list[object]:
    """Queued runs that no worker took although they were enqueued a while ago, or never were."""
    before = timezone.now() - timedelta(seconds=settings.RUN_ENQUEUE_AGAIN)
    queued = Run.objects.filter(status=Run.Status.QUEUED, device__lock__isnull=True)
    unanswered = Q(enqueued_at__lt=before) | Q(enqueued_at__isnull=True, created_at__lt=before)
    return list(queued.filter(unanswered).order_by("created_at").values_list("pk", flat=True))


def mark_lost(run: Run) -> Run | None:
    """End what is left of the run and close it as lost; returns the run that repeats it, if one does."""
    if run.machine == processes.machine_id():
        _end_worker(run)
        processes.end_marked(str(run.pk))
    clean = orphans.end_on_device(run.device, [run.pk])
    steps = StepTracker(run.steps.all()).abandon("The worker died here.", failed=False)
    if not claims.end(run, RunResult(Run.Status.LOST, "The worker that ran it died.", clean), steps=steps):
        return None
    logger.warning("run %s is lost: %s", run.pk, run.status_detail)
    return Run.objects.filter(retry_of=run).first()


def end_hung_workers() -> None:
    """End the workers here of which a thread is still at a run that ended a while ago, once no other run needs them.

    The run's lease is over, so such a thread can do no harm, but it would keep the place of other runs for ever.
    Whoever started the worker starts it again.
    """
    before = timezone.now() - timedelta(seconds=settings.RUN_LOST)
    held = Run.objects.finished().filter(worker_pid__isnull=False, finished_at__lt=before)
    for run in held.filter(machine=processes.machine_id()).defer("plan"):
        if processes.is_running(run.worker_pid or 0, run.worker_started):
            _end_worker(run)
        else:
            claims.release(run)


def _end_worker(run: Run) -> None:
    """End the worker that is silent on this run but still there (stopped, stuck), unless others of its runs live."""
    if not run.worker_pid or run.worker_pid == os.getpid():
        return
    same = {"machine": run.machine, "worker_pid": run.worker_pid, "worker_started": run.worker_started}
    if _alive().filter(**same).exclude(pk=run.pk).exists():
        return
    if processes.is_running(run.worker_pid, run.worker_started):
        with contextlib.suppress(ProcessLookupError):
            os.kill(run.worker_pid, signal.SIGKILL)


def _active(names: Iterable[str]) -> set[str]:
    """Those of the folders' names that are runs not yet ended."""
    return {str(pk) for pk in Run.objects.active().filter(pk__in=list(names)).values_list("pk", flat=True)}
