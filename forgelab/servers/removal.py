"""What goes when a component or a whole server goes: services and files by the record, and what others still need."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from forgelab.runs.plan import Plan, PlannedRole
from forgelab.servers.models import Server

ROLE = "removed"
FIREWALL = "firewall"
# Roles whose removal could cost somebody data.
DATABASES = ("postgresql", "mysql", "mariadb")
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
    """The roles that have put something on the device for the server and that the plan has no more."""
    planned = {role.name for role in plan.roles}
    return [name for name in server.managed if name not in planned]


def with_removal(plan: Plan, server: Server, *, purge: bool = False) -> Plan:
    """The plan, with a step before the packages that takes away what it has no more. The firewall follows."""
    gone = surplus(server, plan)
    roles = [_closing(role, server) if role.name == FIREWALL else role for role in plan.roles]
    extra = _taking_away(server, gone, purge=purge, firewall={"firewall_state": "absent"})
    before = next((n for n, role in enumerate(roles) if role.name == "packages"), len(roles))
    return dataclasses.replace(plan, roles=(*roles[:before], *extra, *roles[before:]))


def decommission_plan(server: Server, first: PlannedRole, *, purge: bool = False) -> Plan:
    """Taking away everything that ForgeLab has put on the device for the server; SSH stays allowed."""
    extra = _taking_away(server, list(server.managed), purge=purge, firewall={"firewall_enabled": False})
    if not any(role.name == ROLE for role in extra):
        extra = [PlannedRole(name=ROLE, title="Looking at what is left"), *extra]
    return Plan(
        slug=server.name,
        title=f"Take down {server.name}",
        roles=(first, *extra),
        hidden=tuple((server.secrets or {}).values()),
    )


def _closing(role: PlannedRole, server: Server) -> PlannedRole:
    ports = _ports(server)
    return dataclasses.replace(role, variables={**role.variables, "firewall_closed": ports}) if ports else role


def _ports(server: Server) -> list[str]:
    """Ports opened for this server before, without those that another server on the device has opened too."""
    others = {port for other in _others(server) for port in _names(other.managed, FIREWALL, "ports")}
    return [port for port in _names(server.managed, FIREWALL, "ports") if port not in others]


def _taking_away(server: Server, gone: list[str], *, purge: bool, firewall: dict[str, Any]) -> list[PlannedRole]:
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
                title=f"Taking away {_listing([component['title'] for component in components])}",
                variables={
                    "removed_components": components,
                    "removed_packages": [name for name in packages if name not in kept | BASE_PACKAGES],
                },
            )
        )
    if FIREWALL in gone:
        variables = {"firewall_allowed": [], "firewall_closed": _ports(server), **firewall}
        roles.append(PlannedRole(name=FIREWALL, title="Closing the firewall's ports", variables=variables))
    return roles


def _component(managed: Managed, name: str, title: str, kept: set[str]) -> dict[str, Any]:
    own = {
        kind: [item for item in _names(managed, name, kind) if item not in kept]
        for kind in ("units", "files", "directories")
    }
    return {"name": name, "title": title, **own}


def _kept(server: Server, gone: Iterable[str]) -> set[str]:
    """Every name that stays in use, by another component or by another server on the device."""
    staying = {name: record for name, record in server.managed.items() if name not in gone}
    records = [*staying.values(), *(record for other in _others(server) for record in other.managed.values())]
    return {item for record in records for items in record.values() for item in items}


def _others(server: Server) -> Iterable[Server]:
    return server.device.servers.exclude(pk=server.pk)


def _names(managed: Managed, role: str, kind: str) -> list[str]:
    return list(managed.get(role, {}).get(kind, []))


def _listing(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
