"""What goes when a component or a whole server goes: services and files by the record, and what others still need."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from forgelab.runs.plan import Plan, PlannedRole
from forgelab.servers.colocation.colocated import FIREWALL, firewall_without, orphaned
from forgelab.servers.models import Server

ROLE = "decommission"
# The kind of a record that only says what a role makes use of, not what was put there for it.
NEEDS = "needs"
# Packages that a device may need for more than one component, or for being reached at all: never removed.
BASE_PACKAGES = frozenset(
    [
        "ca-certificates",
        "cron",
        "git",
        "gnupg",
        "logrotate",
        "openssh-server",
        "python3",
        "sudo",
        "ufw",
        "unzip",
        "zstd",
    ]
)
Managed = Mapping[str, Mapping[str, list[str]]]


def surplus(server: Server, plan: Plan) -> list[str]:
    """The roles that have put something on the device for the server and that are not in the plan any more."""
    planned = {role.name for role in plan.roles}
    return [name for name in roles_managed(server) if name not in planned]


def roles_managed(server: Server) -> list[str]:
    """The roles that have put something on the device for the server."""
    return [name for name, record in server.managed.items() if set(record) - {NEEDS}]


def with_removal(plan: Plan, server: Server, *, purge: bool = False) -> Plan:
    """The plan, with a step before the packages that removes what is not in it any more. The firewall follows."""
    gone = surplus(server, plan)
    roles = [_closing(role, server) if role.name == FIREWALL else role for role in plan.roles]
    absent = {"firewall_allowed": [], "firewall_closed": _ports(server, with_others=True), "firewall_state": "absent"}
    extra = _removal_roles(server, gone, purge=purge, firewall=absent)
    before = next((n for n, role in enumerate(roles) if role.name == "packages"), len(roles))
    return dataclasses.replace(plan, roles=(*roles[:before], *extra, *roles[before:]))


def decommission_plan(server: Server, first: PlannedRole, *, purge: bool = False) -> Plan:
    """Removing everything that ForgeLab has put on the device for the server; SSH stays allowed.

    What the others on the device have open stays open. Raises `ConfigInvalid` where that is not known.
    """
    extra = _removal_roles(server, roles_managed(server), purge=purge, firewall=_left_open(server))
    if not any(role.name == ROLE for role in extra):
        extra = [PlannedRole(name=ROLE, title="Checking what is left"), *extra]
    return Plan(
        slug=server.name,
        title=f"Decommission {server.name}",
        roles=(first, *extra),
        hidden=tuple((server.secrets or {}).values()),
    )


def _left_open(server: Server) -> dict[str, Any]:
    others = firewall_without(server)
    if others is None:
        return {"firewall_allowed": [], "firewall_closed": _ports(server), "firewall_enabled": False}
    return {**others, "firewall_closed": _ports(server, with_others="firewall_state" in others)}


def _closing(role: PlannedRole, server: Server) -> PlannedRole:
    closed = list(dict.fromkeys([*role.variables.get("firewall_closed", []), *_ports(server)]))
    return dataclasses.replace(role, variables={**role.variables, "firewall_closed": closed}) if closed else role


def _ports(server: Server, *, with_others: bool = False) -> list[str]:
    """Ports that were open while this server was; those that somebody still wants are not closed by it.

    Nor those of an orphaned server, whose wishes are not known. `with_others` for a device on which nobody wants a
    firewall.
    """
    unknown = {port for other in orphaned(server) for port in _names(other.managed, FIREWALL, "ports")}
    records = [server.managed, *(other.managed for other in _others(server) if with_others)]
    found = dict.fromkeys(port for record in records for port in _names(record, FIREWALL, "ports"))
    return [port for port in found if port not in unknown]


def _removal_roles(server: Server, gone: list[str], *, purge: bool, firewall: dict[str, Any]) -> list[PlannedRole]:
    roles = []
    titles = {component.name: component.title for component in server.components.all()}
    names = [name for name in gone if name != FIREWALL]
    if names:
        kept = _kept(server, gone)
        components = [_component(server.managed, name, titles.get(name, name), kept) for name in names]
        packages = [package for name in names for package in _names(server.managed, name, "packages")] if purge else []
        roles.append(
            PlannedRole(
                name=ROLE,
                title=f"Removing {_listing([component['title'] for component in components])}",
                variables={
                    "decommission_components": components,
                    "decommission_packages": [name for name in packages if name not in kept | BASE_PACKAGES],
                    "decommission_kept_packages": _needed(server, gone) if packages else [],
                },
            )
        )
    if FIREWALL in gone:
        roles.append(PlannedRole(name=FIREWALL, title="Closing the firewall's ports", variables=firewall))
    return roles


def _component(managed: Managed, name: str, title: str, kept: set[str]) -> dict[str, Any]:
    own = {
        kind: [item for item in _names(managed, name, kind) if item not in kept]
        for kind in ("units", "files", "directories")
    }
    return {"name": name, "title": title, **own}


def _kept(server: Server, gone: Iterable[str]) -> set[str]:
    """Every name that stays in use, by another component or by another server on the device."""
    return {item for record in _staying(server, gone) for items in record.values() for item in items}


def _needed(server: Server, gone: Iterable[str]) -> list[str]:
    """The packages among them, also those that were there before and so were installed for nobody."""
    records = _staying(server, gone)
    return sorted({name for record in records for kind in ("packages", NEEDS) for name in record.get(kind, [])})


def _staying(server: Server, gone: Iterable[str]) -> list[Mapping[str, list[str]]]:
    staying = [record for name, record in server.managed.items() if name not in gone]
    return [*staying, *(record for other in _others(server) for record in other.managed.values())]


def _others(server: Server) -> Iterable[Server]:
    return server.device.servers.exclude(pk=server.pk)


def _names(managed: Managed, role: str, kind: str) -> list[str]:
    return list(managed.get(role, {}).get(kind, []))


def _listing(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
