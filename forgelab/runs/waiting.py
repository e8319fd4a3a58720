"""While a run waits for its device, before anything is started: it stays alive, and can be cancelled."""

from __future__ import annotations

import logging

from django.db import Error as DatabaseFailed
from django.db import connection

from forgelab.runs import claims
from forgelab.runs.models import Run
from forgelab.runs.outcome import Ending

logger = logging.getLogger(__name__)


def go_on(run: Run) -> bool:
    """Say that the worker is alive; False when the run was cancelled or taken away from it."""
    try:
        return claims.beat(run) and not _is_cancelled(run)
    except DatabaseFailed:  # the run's supervisor will find out whether it lasts
        logger.warning("run %s: the database does not answer", run.pk, exc_info=True)
        connection.close()
        return True


def given_up(run: Run) -> Ending:
    """How a run ends that must not `go_on`."""
    if _is_cancelled(run):
        return Ending("cancelled", "Cancelled on request. Nothing was started.", device_clean=True)
    return Ending("lost", "Another worker has taken the run for dead.", device_clean=True)


def _is_cancelled(run: Run) -> bool:
    return Run.objects.filter(pk=run.pk, cancel_requested_at__isnull=False).exists()
