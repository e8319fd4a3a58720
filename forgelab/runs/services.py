"""Asking for runs and cancelling them."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices.models import Device
from forgelab.runs import queue, registry
from forgelab.runs.models import Run, Step
from forgelab.runs.plan import Plan

ENDED = {
    Run.Status.SUCCEEDED: "it succeeded",
    Run.Status.FAILED: "it failed",
    Run.Status.CANCELLED: "it was cancelled",
    Run.Status.LOST: "its worker died",
}


@transaction.atomic
def run_create(
    *,
    plan: Plan,
    kind: str,
    device: Device,
    subject_id: UUID | None = None,
    actor: Actor,
    retry_of: Run | None = None,
    request: dict[str, Any] | None = None,
) -> Run:
    """Queue a run of `plan` on `device`; a worker is told after the commit. `request` is kept with it, in clear.

    A run that repeats a lost one (`retry_of`) stays asked for by whoever asked for that.
    """
    asked_by = retry_of or Run(requested_by=actor.user, requested_by_name=actor.display)
    run = Run.objects.create(
        kind=kind,
        title=plan.title,
        device=device,
        subject_id=subject_id,
        requested_by=asked_by.requested_by,
        requested_by_name=asked_by.requested_by_name,
        retry_of=retry_of,
        plan=plan.to_json(),
        request=request or {},
        repeatable=plan.repeatable,
        timeout_seconds=plan.timeout_seconds,
    )
    steps = [Step(run=run, position=n, role=role.name, title=role.title) for n, role in enumerate(plan.roles, start=1)]
    Step.objects.bulk_create(steps)
    transaction.on_commit(partial(queue.enqueue, run.pk))
    return run


def run_repeat(*, run: Run, actor: Actor) -> Run:
    """Queue the lost run's plan once more, as a run of its own that names the lost one and who asked for that."""
    return run_create(
        plan=Plan.from_json(run.plan),
        kind=run.kind,
        device=run.device,
        subject_id=run.subject_id,
        actor=actor,
        retry_of=run,
        request=run.request,
    )


@transaction.atomic
def run_cancel(*, run: Run, actor: Actor) -> Run:
    """Cancel a queued run at once; ask the worker of a running one to (it does so within a second or two).

    Raises `ValidationError` when the run has already ended.
    """
    check(actor, "run.cancel", run)
    audit.record(actor=actor, action="run.cancel", obj=run)
    now = timezone.now()
    queued = Run.objects.filter(pk=run.pk, status=Run.Status.QUEUED)
    if queued.update(status=Run.Status.CANCELLED, finished_at=now, status_detail="Cancelled before it began."):
        Step.objects.filter(run=run).update(status=Step.Status.SKIPPED)
        run.refresh_from_db()
        registry.finished(run)
        return run
    if not Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING).update(cancel_requested_at=now):
        run.refresh_from_db()
        raise ValidationError(f"This run has already ended: {ENDED[run.status]}.", code="finished")
    run.refresh_from_db()
    return run
