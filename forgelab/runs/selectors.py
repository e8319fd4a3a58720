"""Reading runs: one read model for web, API and command line alike."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from forgelab.devices.models import Device
from forgelab.runs.changes import StepChanges, changes_of
from forgelab.runs.events import HANDLER_START, TASK_START
from forgelab.runs.models import Event, Run


def run_list(*, status: str | None = None, device: Device | None = None) -> QuerySet[Run]:
    """Runs, newest first."""
    runs = Run.objects.select_related("device").defer("plan")
    if status:
        runs = runs.filter(status=status)
    return runs.filter(device=device) if device else runs


def run_events(*, run: Run, after: int = 0, limit: int = 500) -> list[Event]:
    """At most `limit` events whose counter is greater than `after`, in order."""
    return list(Event.objects.filter(run=run, counter__gt=after).order_by("counter")[:limit])


def run_changes(*, run: Run) -> list[StepChanges]:
    """What a run in check mode found that would change, by step."""
    titles = dict(run.steps.order_by("position").values_list("role", "title"))
    kinds = ("runner_on_ok", "runner_on_skipped", TASK_START, HANDLER_START)
    events = Event.objects.filter(run=run, kind__in=kinds).order_by("counter")
    return changes_of(events.values("kind", "role", "task", "changed", "result"), titles)


def event_data(event: Event) -> dict[str, Any]:
    """An event as the live view and the API show it."""
    return {
        "counter": event.counter,
        "kind": event.kind,
        "role": event.role,
        "task": event.task,
        "host": event.host,
        "changed": event.changed,
        "failed": event.failed,
        "seconds": event.seconds,
        "stdout": event.stdout,
        "created_at": event.created_at.isoformat(),
    }


def run_snapshot(*, run_id: UUID | str) -> dict[str, Any]:
    """Everything the live view shows of a run, as JSON can hold it. Raises `Run.DoesNotExist`."""
    run = Run.objects.select_related("device", "retried_by").defer("plan").prefetch_related("steps").get(pk=run_id)
    steps = list(run.steps.all())
    retry = getattr(run, "retried_by", None)
    return {
        "id": str(run.pk),
        "title": run.title,
        "kind": run.kind,
        "status": run.status,
        "status_label": run.get_status_display(),
        "status_detail": run.status_detail,
        "percent": run.percent,
        "seconds": run.seconds,
        "last_counter": run.last_counter,
        "device": {"id": str(run.device_id), "name": run.device.name, "address": run.device.address},
        "subject_id": str(run.subject_id) if run.subject_id else None,
        "requested_by": run.requested_by_name,
        "retry": str(retry.pk) if retry else None,
        "cancel_requested": run.cancel_requested_at is not None,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "steps": [
            {
                "position": step.position,
                "count": len(steps),
                "role": step.role,
                "title": step.title,
                "status": step.status,
                "seconds": step.seconds,
                "changed": step.changed,
                "detail": step.detail,
            }
            for step in steps
        ],
        "outcome": run.outcome,
    }
