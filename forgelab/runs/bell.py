"""The doorbell: telling a worker that a run waits. The message carries the run's id and may be lost or doubled."""

from __future__ import annotations

import logging
from uuid import UUID

from django.utils import timezone

from forgelab.celery import app
from forgelab.runs.models import Run

logger = logging.getLogger(__name__)

EXECUTE = "forgelab.runs.tasks.execute_run"  # by its name: what the task imports rings, too


def ring(run_id: UUID | str) -> None:
    """Tell a worker of the run. A broker that is down is logged, not raised: the sweeper rings again."""
    try:
        app.send_task(EXECUTE, args=[str(run_id)], task_id=str(run_id), retry=False)
        Run.objects.filter(pk=run_id).update(rung_at=timezone.now())
    except Exception as error:  # a broker that is full or locked answers with errors of its own library
        logger.warning("run %s is queued, but the broker does not answer (%s); it will be rung again", run_id, error)


def ring_next(device_id: UUID) -> None:
    """Tell a worker of the oldest run that waits for this device, if any."""
    waiting = Run.objects.filter(device_id=device_id, status=Run.Status.QUEUED).order_by("created_at").first()
    if waiting:
        ring(waiting.pk)
