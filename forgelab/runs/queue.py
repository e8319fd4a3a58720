"""The queue of runs: a Celery message carries a run's id to a worker, and may be lost or come twice."""

from __future__ import annotations

import logging
from uuid import UUID

from django.utils import timezone

from forgelab.celery import app
from forgelab.runs.models import Run

logger = logging.getLogger(__name__)

EXECUTE = "forgelab.runs.tasks.execute_run"  # by its name: what the task imports enqueues, too


def enqueue(run_id: UUID | str) -> None:
    """Send the run's id to a worker. A broker that is down is logged, not raised: the sweeper enqueues again."""
    try:
        app.send_task(EXECUTE, args=[str(run_id)], task_id=str(run_id), retry=False)
        Run.objects.filter(pk=run_id).update(enqueued_at=timezone.now())
    except Exception as error:  # a broker that is full or locked answers with errors of its own library
        logger.warning(
            "run %s is queued, but the broker does not answer (%s); it will be enqueued again", run_id, error
        )


def enqueue_next(device_id: UUID) -> None:
    """Enqueue the oldest run that waits for this device, if any."""
    waiting = Run.objects.filter(device_id=device_id, status=Run.Status.QUEUED).order_by("created_at").first()
    if waiting:
        enqueue(waiting.pk)
