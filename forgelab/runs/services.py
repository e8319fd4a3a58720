"""Asking for runs and cancelling them."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices.models import Device
from forgelab.runs import kinds, queue
from forgelab.runs.kinds import RunKind
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
    kind: RunKind,
    device: Device,
    subject: Model | None,
    actor: Actor,
    request: dict[str, Any] | None = None,
) -> Run:
    """Queue a run of `plan` on `device`; it is sent to a worker after the commit. `request` is kept with it, in clear.

    `subject` is what it is for, of the kind's model. Raises `UnknownKind`, and `TypeError` for another model.
    """
    model = kinds.get(kind.name).subject_model
    if subject is not None and not isinstance(subject, model):
        raise TypeError(f"A run of kind {kind} is for a {model.__name__}, not for a {type(subject).__name__}.")
    run = Run(
        kind=kind.name,
        device=device,
        subject=subject,
        requested_by=actor.user,
        requested_by_name=actor.display,
        request=request or {},
    )
    return _queue(run, plan)


@transaction.atomic
def run_repeat(*, run: Run) -> Run:
    """Queue the lost run's plan once more, as a run of its own that names the lost one and who asked for that."""
    same = ("kind", "device", "subject_type", "subject_id", "requested_by", "requested_by_name", "request")
    return _queue(Run(retry_of=run, **{name: getattr(run, name) for name in same}), Plan.from_json(run.plan))


def _queue(run: Run, plan: Plan) -> Run:
    run.title, run.plan = plan.title, plan.to_json()
    run.repeatable, run.timeout_seconds = plan.repeatable, plan.timeout_seconds
    run.save(force_insert=True)
    steps = [Step(run=run, position=n, role=role.name, title=role.title) for n, role in enumerate(plan.roles, start=1)]
    Step.objects.bulk_create(steps)
    transaction.on_commit(partial(queue.enqueue, run.pk))
    return run


@transaction.atomic
def run_cancel(*, run: Run, actor: Actor) -> Run:
    """Cancel a queued run at once; ask the worker of a running one to (it does so within a second or two).

    The thread of its worker looks for `cancel_requested_at` (`playbook.PlaybookProcess`), ends every process of the run
    here, then those on the device; a run that still waits for its device gives up (`waiting`).

    Raises `ValidationError` when the run has already ended.
    """
    check(actor, "run.cancel", run)
    audit.record(actor=actor, action="run.cancel", obj=run)
    now = timezone.now()
    queued = Run.objects.filter(pk=run.pk, status=Run.Status.QUEUED)
    if queued.update(status=Run.Status.CANCELLED, finished_at=now, status_detail="Cancelled before it began."):
        Step.objects.filter(run=run).update(status=Step.Status.SKIPPED)
        run.refresh_from_db()
        kinds.notify_end(run)
        return run
    if not Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING).update(cancel_requested_at=now):
        run.refresh_from_db()
        raise ValidationError(f"This run has already ended: {ENDED[run.status]}.", code="finished")
    run.refresh_from_db()
    return run
