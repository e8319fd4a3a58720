"""Before a run on a device that sleeps: wake it, and go on being alive meanwhile."""

from __future__ import annotations

import logging

from django.db import Error as DatabaseFailed
from django.db import connection

from forgelab.devices import ssh, waking
from forgelab.runs import claims
from forgelab.runs.models import Run
from forgelab.runs.outcome import Ending

logger = logging.getLogger(__name__)


def wake(run: Run) -> Ending | None:
    """Have the run's device answer, if it is one that sleeps; an `Ending` when it does not, and nothing was started."""
    if not run.device.sleeps:
        return None
    try:
        waking.awaken(run.device, go_on=lambda: _go_on(run))
    except waking.StillAsleep as error:
        return Ending("failed", f"{error} Nothing was started.", device_clean=True)
    except ssh.HostKeyChanged as error:
        return Ending("failed", str(error), device_clean=True)
    except waking.GivenUp:
        if Run.objects.filter(pk=run.pk, cancel_requested_at__isnull=False).exists():
            return Ending("cancelled", "Cancelled on request. Nothing was started.", device_clean=True)
        return Ending("lost", "Another worker has taken the run for dead.", device_clean=True)
    return None


def _go_on(run: Run) -> bool:
    """Say that the worker is alive; False when the run was cancelled or taken away from it."""
    try:
        return claims.beat(run) and not Run.objects.filter(pk=run.pk, cancel_requested_at__isnull=False).exists()
    except DatabaseFailed:  # the run's supervisor will find out whether it lasts
        logger.warning("run %s: the database does not answer", run.pk, exc_info=True)
        connection.close()
        return True
