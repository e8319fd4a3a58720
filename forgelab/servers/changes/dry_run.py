"""What would change on a server's device: asked of Ansible's check mode, shown, and applied exactly as shown."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.servers.changes.change import Change, change_for
from forgelab.servers.kinds import PLAN, PROVISION
from forgelab.servers.models import Server
from forgelab.servers.spec.requests import changed

TIMEOUT = 900  # seconds
NOT_AS_SHOWN = (
    "Since this plan was made something has changed that it depends on, such as another server on the device, a "
    "server that it names, or ForgeLab itself. Make a new plan."
)


def server_plan(*, server: Server, actor: Actor, changes: Mapping[str, Any] | None = None) -> Run:
    """Ask what reprovisioning the server would change, with its config or with these `changes` of it.

    It changes nothing, neither on the device nor in the server. With the config as it is, the answer is how far the
    device has drifted. Raises `ValidationError` by field, as provisioning would.
    """
    return plan_queued(server, changes or {}, actor, "server.plan")


def plan_queued(server: Server, changes: Mapping[str, Any], actor: Actor, action: str) -> Run:
    """The run that plans; the audit knows it as `action`, which the actor must be allowed."""
    check(actor, action, server)
    with transaction.atomic():
        change = change_for(changed(server, changes))
        differs = changed_options(change.base, change.request["config"])
        audit.record(actor=actor, action=action, obj=server, after={f"config.{k}": v for k, v in differs.items()})
        return change.queue(_checking(change), PLAN, actor)


def _checking(change: Change) -> Plan:
    server = change.server
    differs = changed_options(change.base, change.request["config"])
    return dataclasses.replace(
        change.plan,
        title=f"Plan changes of {server.name}" if differs else f"Compare {server.name} with its plan",
        check=True,
        hidden=tuple((server.secrets or {}).values()),
        timeout_seconds=TIMEOUT,
    )


def changed_options(base: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Of the config what differs from `base`; an option that the recipe has only got since does not."""
    return {name: value for name, value in config.items() if name in base and value != base[name]}


def why_not_applicable(run: Run, server: Server | None) -> str:
    """Why this plan cannot be applied, as a sentence; empty when it can."""
    if run.kind != PLAN.name:
        return "This run is no plan."
    if server is None:
        return "Its server is gone."
    if run.is_active:
        return "The plan is not ready yet. Wait for it."
    if run.status != Run.Status.SUCCEEDED:
        return "The plan could not be made, so there is nothing to apply. See what went wrong, then plan again."
    later = Run.objects.of(server).of_kind(PROVISION).filter(created_at__gt=run.created_at)
    if server.config != run.request.get("base") or later.exists():
        return f"{server.name} was changed or provisioned since this plan was made. Make a new plan."
    return ""


def check_shown(run: Run, change: Change) -> None:
    """Raises `ValidationError` naming `plan` where the change is another one than this plan has shown."""
    if _shown(run.plan) != _shown(change.plan.to_json()):
        raise ValidationError({"plan": NOT_AS_SHOWN})


def _shown(plan: Mapping[str, Any]) -> dict[str, Any]:
    """What a stored plan does, without the values of secrets: those are never shown, and new ones differ each time."""
    roles = [{**role, "secrets": sorted(role["secrets"])} for role in plan.get("roles", ())]
    found = {"format": plan.get("format"), "roles": roles, "generated_roles": plan.get("generated_roles")}
    return dict(json.loads(json.dumps(found)))
