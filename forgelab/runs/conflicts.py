"""Whether an active run forbids another: by what the kinds of both declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from forgelab.devices.models import Device
from forgelab.runs import kinds
from forgelab.runs.kinds import RunKind
from forgelab.runs.models import Run


def conflicting_run(
    kind: RunKind | None = None,
    *,
    subject: Model | None = None,
    device: Device | None = None,
    request: Mapping[str, Any] | None = None,
) -> Run | None:
    """The oldest active run beside which one of `kind`, for `subject`, with `request`, must not be started.

    With `device`, the runs for other subjects on it are looked at; without, those for the subject. Without a kind,
    every active run of the subject or the device conflicts: for what must happen alone. Call it in the transaction that
    starts the run, after locking, so that two who ask at once do not both get None.
    """
    active = Run.objects.active().order_by("created_at").defer("plan")
    active = active.on(device) if device else active.of(subject)
    if kind is None:
        return active.first()
    if device is None:
        return active.filter(kind__in=kind.conflicts).first()
    others = active.filter(kind__in=kind.device_conflicts).exclude(pk__in=Run.objects.of(subject).values("pk"))
    removes = kind.removes(request or {})
    return next((run for run in others if removes or kinds.get(run.kind).removes(run.request)), None)
