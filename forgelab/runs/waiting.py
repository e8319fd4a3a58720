"""While a run waits for its device, before anything is started: it stays alive, and can be cancelled."""

from __future__ import annotations

import logging

from django.db import Error as DatabaseFailed
from django.db import connection

from forgelab.runs import claims
from forgelab.runs.models import Run
from forgelab.runs.results import RunResult

logger = logging.getLogger(__name__)


def may_continue(run: Run) -> bool:
    """Say that the worker is alive; False when the run was cancelled or taken away from it."""
    try:
        return claims.heartbeat(run) and not _is_cancelled(run)
    except DatabaseFailed:  # if it lasts, the playbook's process is ended later
        logger.warning("run %s: the database does not answer", run.pk, exc_info=True)
        connection.close()
        return True


def stopped(run: Run) -> RunResult:
    """The result of a run that must not continue."""
    if _is_cancelled(run):
        return RunResult("cancelled", "Cancelled on request. Nothing was started.", device_clean=True)
    return RunResult("lost", "Another worker has taken the run for dead.", device_clean=True)


def _is_cancelled(run: Run) -> bool:
    return Run.objects.filter(pk=run.pk, cancel_requested_at__isnull=False).exists()
