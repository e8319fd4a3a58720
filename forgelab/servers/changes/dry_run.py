"""What would change on a server's device: asked of Ansible's check mode, shown, and applied exactly as shown."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from forgelab.accounts.actors import Actor
from forgelab.runs.models import Run
from forgelab.runs.services import run_create
from forgelab.servers.kinds import PLAN, PROVISION
from forgelab.servers.models import Server
from forgelab.servers.provisioning import checks, services
from forgelab.servers.removal.cleanup import surplus, with_removal
from forgelab.servers.spec.links import check_links

TIMEOUT = 900  # seconds


def server_check(*, server: Server, changes: dict[str, Any] | None = None, actor: Actor) -> Run:
    """Ask what provisioning the server would change, with its config or with these `changes` of it.

    Nothing is changed by it, neither on the device nor in the server. With the config as it is, the answer is how far
    the device has drifted. Raises `ValidationError` by field, as provisioning would.
    """
    recipe = checks.find_recipe(server.server_type)
    config = checks.clean_config(recipe, server.name, checks.changed_config(server, recipe, changes or {}))
    check_links(name=server.name, recipe=recipe, config=config)
    checks.check_idle(server)
    checks.check_obstacle(server, recipe, config)
    checks.check_promise(server, recipe, config)
    proposed = copy.copy(server)  # never saved
    proposed.secrets = checks.known_secrets(recipe, server, config)
    proposed.config = config
    plan = checks.checked_plan(proposed, recipe)
    asked = changed_options(server.config, config)
    return run_create(
        plan=dataclasses.replace(
            with_removal(plan, proposed),
            title=f"Plan changes of {server.name}" if asked else f"Compare {server.name} with its plan",
            check=True,
            hidden=tuple((server.secrets or {}).values()),
            timeout_seconds=TIMEOUT,
        ),
        kind=PLAN,
        device=server.device,
        subject=server,
        actor=actor,
        request={"config": config, "base": server.config, "gone": surplus(proposed, plan)},
    )


def changed_options(base: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Of the config what differs from `base`; an option that the recipe has only got since does not."""
    return {name: value for name, value in config.items() if name in base and value != base[name]}


def server_apply(*, run: Run, actor: Actor, **more: Any) -> Run:
    """Provision exactly what this plan has shown; `more` (`confirm`, `without_backup`, `purge`) as for provisioning.

    Raises `ValidationError` when the plan is none, has not succeeded, or is no longer what would happen.
    """
    with transaction.atomic():
        checks.one_at_a_time()
        server = Server.objects.select_related("device").filter(pk=run.subject_id).first()  # fresh, under the lock
        if why := why_not_applicable(run, server):
            raise ValidationError({"plan": why})
        assert server  # noqa: S101 - for mypy: a plan without a server is not applicable
        return services.server_provision(
            server_type=server.server_type,
            name=server.name,
            device=server.device,
            config=run.request["config"],
            actor=actor,
            **more,
        )


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
