"""A standby is promoted: it has its old primary's passwords from then on, and lets it in as a standby.

Both servers are of a recipe with the options below. `Server.replaced_by` of the old primary names the new one until it
is a standby of it itself; its runs make PostgreSQL unable to take writes before they do anything else with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from forgelab.databases.engines import POSTGRESQL
from forgelab.runs.models import Run
from forgelab.runs.plan import PlannedRole
from forgelab.servers.models import Server
from forgelab.servers.spec.server_spec import ServerSpec

FOLLOWS, PROMOTES, FOLLOWERS = "replicate_from", "postgresql_promote", "standby_servers"
REPLACES = "postgresql_replace_data"
Config = Mapping[str, Any]


def promoted(spec: ServerSpec) -> ServerSpec:
    """A server that takes over: with the old primary's secrets, since the standby's data are a copy with its users, and
    letting the old primary in as a standby. Any other server as it is.
    """
    primary = _old_primary(spec.server.config if spec.server else {}, spec.config, spec.recipe.id)
    if primary is None:
        return spec
    config = dict(spec.config)
    if FOLLOWS in config:
        config[FOLLOWERS] = list(dict.fromkeys([*config[FOLLOWERS], primary.name]))
    return dataclasses.replace(spec, config=config, secrets={**spec.secrets, **(primary.secrets or {})})


def _old_primary(base: Config, config: Config, server_type: str) -> Server | None:
    """The server from which one takes over that goes from the config `base` to this one."""
    name = base.get(FOLLOWS) or config.get(FOLLOWS)
    if not config.get(PROMOTES) or not name:
        return None
    return Server.objects.filter(name=name, server_type=server_type).first()


def check_replaced(spec: ServerSpec) -> None:
    """An old primary is nothing but a standby, or takes over again.

    Raises `ValidationError` naming `config.replicate_from`.
    """
    by = spec.server.replaced_by if spec.server else ""
    if not by or not Server.objects.filter(name=by).exists():
        return
    if spec.config.get(FOLLOWS) != by and not spec.config.get(PROMOTES):
        sentence = (
            f"{by} took over from {spec.name}: let it follow {by}, or make it the primary again once {by} is off "
            f"({PROMOTES}=true {FOLLOWS}=). Two primaries would each take some of the changes."
        )
        raise ValidationError({f"config.{FOLLOWS}": sentence})


def with_fence(spec: ServerSpec, roles: Sequence[PlannedRole]) -> list[PlannedRole]:
    """The roles of a plan; that of an old primary's PostgreSQL knows that it must take no writes."""
    if spec.server is None or not spec.server.replaced_by:
        return list(roles)
    command = f"forgelab server change {spec.name} {REPLACES}=true --confirm {spec.name}"
    fence = {"postgresql_replaced": True, "postgresql_recopy_command": command}
    return [
        dataclasses.replace(role, variables={**role.variables, **fence}) if role.name == POSTGRESQL else role
        for role in roles
    ]


def replaced_sentence(server: Server, reason: str = "") -> str:
    """What somebody has to know of an old primary; `reason` is why its latest run failed."""
    latest = f" The latest run: {reason.strip()}" if reason else ""
    return (
        f"{server.replaced_by} took over from {server.name}. Until {server.name} is a standby of it, it must take no "
        f"writes: ForgeLab makes sure of that as soon as {server.device.name} answers, or at once with "
        f"`forgelab server provision {server.server_type} --name {server.name}`.{latest}"
    )


def provisioned(server: Server, run: Run) -> None:
    """A run of the server ended well: it is replaced no more, and the primary from which it took over is. Saves only
    that one.
    """
    server.replaced_by = ""
    primary = _old_primary(run.request.get("base") or {}, run.request.get("config") or {}, server.server_type)
    if primary is None or primary.pk == server.pk or primary.replaced_by == server.name:
        return
    if primary.config.get(FOLLOWS) == server.name:  # it is its standby already
        return
    followers = [name for name in primary.config.get(FOLLOWERS) or [] if name != server.name]
    primary.config = {**primary.config, FOLLOWS: server.name, PROMOTES: False, FOLLOWERS: followers}
    primary.replaced_by, primary.replaced_at = server.name, timezone.now()
    primary.status, primary.status_detail = Server.Status.FAILED, replaced_sentence(primary)
    primary.save(update_fields=["config", "replaced_by", "replaced_at", "status", "status_detail"])
