"""A standby takes over from its primary: whose passwords it has then, and that the old primary takes no more writes.

Both servers are of a recipe with the options below. The old primary is told of in `Server.replaced_by` until it is a
standby of the new one itself; its runs make PostgreSQL unable to take writes before they do anything else with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from forgelab.runs.models import Run
from forgelab.runs.plan import PlannedRole
from forgelab.servers.models import Server
from forgelab.servers.removal.safety import check_databases

FOLLOWS, PROMOTES, FOLLOWERS = "replicate_from", "postgresql_promote", "standby_servers"
REPLACES, ROLE = "postgresql_replace_data", "postgresql"


def old_primary(server: Server, config: Mapping[str, Any]) -> Server | None:
    """The server from which `server`, with this config, takes over."""
    name = server.config.get(FOLLOWS) or config.get(FOLLOWS)
    if not config.get(PROMOTES) or not name:
        return None
    return Server.objects.filter(name=name, server_type=server.server_type).first()


def inherited_secrets(server: Server, config: Mapping[str, Any]) -> dict[str, str]:
    """The old primary's: the standby's data are a copy, with its users and their passwords."""
    primary = old_primary(server, config)
    return dict(primary.secrets or {}) if primary else {}


def opened_for(server: Server, config: dict[str, Any]) -> dict[str, Any]:
    """The config of a server that takes over, letting the old primary in as a standby."""
    primary = old_primary(server, config)
    if primary is None or FOLLOWERS not in config:
        return config
    return {**config, FOLLOWERS: list(dict.fromkeys([*config[FOLLOWERS], primary.name]))}


def server_took_over(server: Server, run: Run) -> None:
    """Its run has ended well: if by that it took over, remember it of the old primary. Saves only that one."""
    before = Server(config=run.request.get("base") or {}, server_type=server.server_type)
    primary = old_primary(before, run.request.get("config") or {})
    if primary is None or primary.pk == server.pk or primary.replaced_by == server.name:
        return
    if primary.config.get(FOLLOWS) == server.name:  # it is its standby already
        return
    followers = [name for name in primary.config.get(FOLLOWERS) or [] if name != server.name]
    primary.config = {**primary.config, FOLLOWS: server.name, PROMOTES: False, FOLLOWERS: followers}
    primary.replaced_by, primary.replaced_at = server.name, timezone.now()
    primary.status, primary.status_detail = Server.Status.FAILED, replaced_sentence(primary)
    primary.save(update_fields=["config", "replaced_by", "replaced_at", "status", "status_detail"])


def replaced_sentence(server: Server, why: str = "") -> str:
    """What somebody has to know of an old primary."""
    told = f" The latest run: {why.strip()}" if why else ""
    return (
        f"{server.replaced_by} took over from {server.name}. Until {server.name} is a standby of it, it must take no "
        f"writes: ForgeLab sees to it as soon as {server.device.name} answers, or at once with "
        f"`forgelab server provision {server.server_type} --name {server.name}`.{told}"
    )


def replaced_variables(server: Server) -> dict[str, object]:
    """What the role of an old primary has to know."""
    if not server.replaced_by:
        return {}
    command = f"forgelab server change {server.name} {REPLACES}=true --confirm {server.name}"
    return {"postgresql_replaced": True, "postgresql_anew": command}


def with_replaced(roles: list[PlannedRole], server: Server) -> list[PlannedRole]:
    """The roles of a plan; of a server that was replaced, its database's knows it."""
    told = replaced_variables(server)
    if not told:
        return roles
    return [
        dataclasses.replace(role, variables={**role.variables, **told}) if role.name == ROLE else role for role in roles
    ]


def check_replaced(server: Server, config: Mapping[str, Any], *, confirm: str, without_backup: str) -> None:
    """An old primary is nothing but a standby, or takes over again; its data go only as a database goes.

    Raises `ValidationError` naming `config.replicate_from`, `confirm` or `without_backup`.
    """
    there = server.replaced_by and Server.objects.filter(name=server.replaced_by).exists()
    if there and config.get(FOLLOWS) != server.replaced_by and not config.get(PROMOTES):
        sentence = (
            f"{server.replaced_by} took over from {server.name}: let it follow {server.replaced_by}, or make it the "
            f"primary again once {server.replaced_by} is off ({PROMOTES}=true {FOLLOWS}=). Two primaries would each "
            "take some of the changes."
        )
        raise ValidationError({f"config.{FOLLOWS}": sentence})
    if config.get(REPLACES):
        check_databases(server, [ROLE], confirm=confirm, without_backup=without_backup)
