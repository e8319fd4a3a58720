"""Taking in what a run learned of a server. Called inside the closing transaction of the run."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from forgelab.runs.models import Run, Step
from forgelab.runs.results import joined
from forgelab.servers import extensions
from forgelab.servers.models import Component, Server
from forgelab.servers.plans.cleanup import NEEDS
from forgelab.servers.spec.server_spec import outline

# Until they are past, nothing on the device has been touched.
LOOKING = ("facts", "preflight")
FIELDS = [
    "status", "status_detail", "config", "managed", "provisioned_at", "drift_count", "drift_since", "drift_checked_at",
    "drift_run", "memory_mb", "storage_mb", "replaced_by",
]  # fmt: skip


def server_provisioned(run: Run) -> None:
    """A provisioning run has ended: its server runs, or still runs as before, or has failed."""
    server = run.subject
    if server is None:
        return
    server.managed = {**server.managed, **_managed(server, run)}
    if run.is_queued_again:
        server.status = Server.Status.PROVISIONING
    elif run.status == Run.Status.SUCCEEDED:
        _succeeded(server, run)
    elif outage := extensions.outage(server, run.status_detail):
        server.status, server.status_detail = Server.Status.FAILED, outage
    elif server.provisioned_at is None:
        server.status, server.status_detail = Server.Status.FAILED, run.status_detail
    else:
        _still_runs(server, run)
    extensions.ended(server, run)
    server.save(update_fields=FIELDS)


def _managed(server: Server, run: Run) -> dict[str, dict[str, list[str]]]:
    """What the roles of this run report as theirs, added to what was known. It comes from the device."""
    reported = run.outcome.get("managed")
    records = {str(role)[:64]: record for role, record in reported.items()} if isinstance(reported, dict) else {}
    installed = run.outcome.get("installed")
    for role, packages in installed.items() if isinstance(installed, dict) else ():
        records[role] = joined(records.get(role), {"packages": packages})
    for role, packages in _needs(run).items():
        records[role] = joined(records.get(role), {NEEDS: packages})
    return {role: joined(server.managed.get(role), record) for role, record in records.items()}


def _needs(run: Run) -> dict[str, list[str]]:
    """The packages that its roles make use of, also those that were there before. It comes from the device."""
    reported = run.outcome.get("needs")
    found = (
        {str(role)[:64]: joined({}, {NEEDS: names}) for role, names in reported.items()}
        if isinstance(reported, dict)
        else {}
    )
    return {role: record[NEEDS] for role, record in found.items() if record[NEEDS]}


def _succeeded(server: Server, run: Run) -> None:
    server.status, server.status_detail, server.provisioned_at = Server.Status.ACTIVE, "", timezone.now()
    _reserve(server)
    gone = run.request.get("gone") or []
    server.managed = {role: record for role, record in server.managed.items() if role not in gone}
    if needs := _needs(run):  # what it needed before, it needs no more
        server.managed = {
            role: {kind: names for kind, names in record.items() if kind != NEEDS or role in needs}
            | ({NEEDS: needs[role]} if role in needs else {})
            for role, record in server.managed.items()
            if role in needs or set(record) - {NEEDS}
        }
    server.drift_count = server.drift_since = server.drift_checked_at = server.drift_run = None
    _record_components(server, run.outcome.get("versions") or [])


def _still_runs(server: Server, run: Run) -> None:
    """A server that ran before is not broken because a later run failed: say what is in force now."""
    server.status = Server.Status.ACTIVE
    how = {Run.Status.CANCELLED: "was cancelled", Run.Status.LOST: "was cut off"}.get(run.status, "failed")
    # What a lost run has done, its repetition need not have got as far as.
    steps = Step.objects.filter(run__in=[run.pk, run.retry_of_id])
    reached = steps.exclude(status__in=(Step.Status.SKIPPED, Step.Status.PENDING)).exclude(role__in=LOOKING)
    if not reached.exists():
        server.config = run.request.get("base") or server.config
        _reserve(server)
        then = "Nothing was changed: it runs as before, with its options as before."
    else:
        step = reached.order_by("run__created_at", "position").last()
        then = f'It got as far as "{step.title}": what came before is in force, the rest is as it was. Reprovision it.'
    reason = f" ({run.status_detail.strip()})" if run.status == Run.Status.FAILED and run.status_detail else ""
    server.status_detail = f"Reprovisioning it {how}{reason}. {then}".replace(".).", ".)")


def _reserve(server: Server) -> None:
    """What is reserved for it from now on is what it needs with the config that is in force."""
    if spec := outline(server):
        for field, mb in spec.reserved.items():
            setattr(server, field, mb)


def _record_components(server: Server, versions: list[dict[str, Any]]) -> None:
    """What the versions role found. It comes from the device, so a line of another form is passed over."""
    found = {str(line["name"]): line for line in versions if isinstance(line, dict) and line.get("name")}
    server.components.all().delete()
    Component.objects.bulk_create(
        Component(
            server=server,
            name=name[:64],
            title=str(line.get("title") or name)[:64],
            version=str(line.get("version") or "")[:64],
            position=position,
        )
        for position, (name, line) in enumerate(found.items())
    )
