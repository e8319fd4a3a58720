"""Who else is on the device: points for good neighbours, and against bad ones."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from forgelab.devices.placement.model import Tenant
from forgelab.devices.placement.policy import Policy

PRODUCTION = "production"
_name = attrgetter("name")


class Tie(NamedTuple):
    """What one server on a device adds to the score (or takes from it), and why."""

    points: float
    kind: str
    other: Tenant
    shared: tuple[str, ...] = ()
    saved_mb: float = 0


class Neighbours:
    """A tenant's view of others under a policy, prepared for many devices."""

    __slots__ = ("_components", "_environments", "_instances", "_near", "_primary", "_replica", "_shared", "_tenant")

    def __init__(self, tenant: Tenant, policy: Policy) -> None:
        self._tenant, self._instances = tenant, policy.instances
        self._near, self._primary, self._replica, self._environments = (
            policy.fit[kind] for kind in ("near", "primary", "replica", "environments")
        )
        self._shared = policy.fit["shared"], policy.fit["shared_mb"]
        self._components = tenant.components & policy.instances.keys()

    def ties(self, servers: Sequence[Tenant]) -> list[Tie]:
        """What ties the tenant to these servers, or speaks against them. Every kind counts once, replicas each.

        The order of the servers does not matter.
        """
        me, found = self._tenant, []
        for other in servers if len(servers) < 2 else sorted(servers, key=_name):
            if other.name in me.near or me.name in other.near:
                found.append(Tie(self._near, "near", other))
            if other.name in me.follows or me.name in other.follows:
                found.append(Tie(-self._primary, "primary", other))
            elif me.application and me.application == other.application and _replica(me, other):
                found.append(Tie(-self._replica, "replica", other))
            if me.environment != other.environment and _apart(me.environment, other.environment):
                found.append(Tie(-self._environments, "environments", other))
        if len(found) > 1:
            found = _once(found)
        if self._components:
            found += self._saved(servers)
        return found

    def _saved(self, servers: Sequence[Tenant]) -> list[Tie]:
        shared: dict[str, Tenant] = {}
        for other in servers:
            for component in self._components & other.components:
                if component not in shared or other.name < shared[component].name:
                    shared[component] = other
        if not shared:
            return []
        names = sorted(shared)
        saved = sum([self._instances[component] for component in names])
        most, enough = self._shared
        return [Tie(most * min(1.0, saved / enough), "shared", shared[names[0]], tuple(names), saved)]


def _replica(me: Tenant, other: Tenant) -> bool:
    return me.server_type == other.server_type and me.environment == other.environment


def _apart(one: str, another: str) -> bool:
    return bool(one and another) and PRODUCTION in (one, another)


def _once(found: list[Tie]) -> list[Tie]:
    """The first of each kind that counts once."""
    kept: dict[tuple[str, str], Tie] = {}
    for tie in found:
        kept.setdefault((tie.kind, tie.other.name if tie.kind == "replica" else ""), tie)
    return list(kept.values())


def sentence(tie: Tie, tenant: Tenant) -> str:
    """The tie in words."""
    other = tie.other.name
    if tie.kind == "near":
        uses = other in tenant.uses or tenant.name in tie.other.used_by
        return f"{other}, which {'it uses' if uses else 'uses it'}, is on this device: no network between them"
    if tie.kind == "primary":
        primary = "its primary" if other in tenant.follows else "its standby"
        return f"{other}, {primary}, is on this device: one power cut would take both"
    if tie.kind == "replica":
        return f"{other} is here: another {_kind(tenant)} of the same application, and one power cut would take both"
    if tie.kind == "environments":
        pair = sorted({tenant.environment, tie.other.environment})
        return f"{other} is here: {' and '.join(pair)} are better kept apart"
    return f"{' and '.join(tie.shared)} of {other} is here already: sharing saves about {tie.saved_mb:.0f}MB RAM"


def _kind(tenant: Tenant) -> str:
    """`laravel-worker-server` is a worker."""
    return tenant.server_type.removesuffix("-server").removeprefix("laravel-").replace("-", " ") or "server"
