"""Who else is on the device: points for good company, and against bad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from forgelab.devices.placement.model import Tenant
from forgelab.devices.placement.policy import Policy

PRODUCTION = "production"
TITLES = {
    "mariadb": "MariaDB", "memcached": "Memcached", "mysql": "MySQL", "nginx": "Nginx", "php": "PHP",
    "postgresql": "PostgreSQL", "redis": "Redis", "supervisor": "Supervisor",
}  # fmt: skip


class Affinity(NamedTuple):
    """What one server on a device adds to the score (or takes from it), and why."""

    points: float
    kind: str
    other: Tenant
    shared: tuple[str, ...] = ()
    saved_mb: float = 0


NEAR, PRIMARY, ENVIRONMENTS, REPLICA = 1, 2, 4, 8  # what ties two servers, as bits
KINDS = {NEAR: "near", PRIMARY: "primary", ENVIRONMENTS: "environments", REPLICA: "replica"}


class Affinities:
    """A tenant's view of others under a policy, prepared for many devices.

    Every kind of affinity counts once on a device, replicas each. The order of its servers does not matter.
    """

    __slots__ = ("_components", "_instances", "_me", "_points", "_saved", "_shared")

    def __init__(self, tenant: Tenant, policy: Policy) -> None:
        fit = policy.fit
        self._me, self._instances = tenant, policy.instances
        self._points = {
            NEAR: fit["near"],
            PRIMARY: -fit["primary"],
            ENVIRONMENTS: -fit["environments"],
            REPLICA: -fit["replica"],
        }
        self._shared = fit["shared"], fit["shared_mb"]
        self._components = tenant.components.intersection(policy.instances)
        self._saved: dict[frozenset[str], float] = {}

    def bits(self, other: Tenant) -> int:
        """What ties the tenant to this server."""
        me, found = self._me, 0
        if other.name in me.near or me.name in other.near:
            found = NEAR
        if other.name in me.follows or me.name in other.follows:
            found |= PRIMARY
        elif me.application == other.application and _replica(me, other):
            found |= REPLICA
        if me.environment != other.environment and _apart(me.environment, other.environment):
            found |= ENVIRONMENTS
        return found

    def points(self, servers: Sequence[Tenant]) -> float:
        """What all ties to the servers of one device add to its score, or take from it."""
        found, total = 0, 0.0
        shared: frozenset[str] | None = None
        for other in servers:
            bits = self.bits(other)
            if bits:
                if bits & REPLICA:
                    total += self._points[REPLICA]
                found |= bits
            common = self._components & other.components
            if common:
                shared = common if shared is None else shared | common
        if found:
            for bit in (NEAR, PRIMARY, ENVIRONMENTS):
                if found & bit:
                    total += self._points[bit]
        return total if shared is None else total + self._shared_points(shared)

    def affinities(self, servers: Sequence[Tenant]) -> list[Affinity]:
        """The same one by one, each with the first server by name."""
        ordered, found = sorted(servers, key=lambda other: other.name), []
        for bit, kind in KINDS.items():
            tied = [other for other in ordered if self.bits(other) & bit]
            found += [Affinity(self._points[bit], kind, other) for other in (tied if bit == REPLICA else tied[:1])]
        shared = self._components & frozenset[str]().union(*(other.components for other in ordered))
        if shared:
            names = tuple(sorted(shared))
            first = next(other for other in ordered if names[0] in other.components)
            saved = sum(self._instances[name] for name in names)
            found.append(Affinity(self._shared_points(shared), "shared", first, names, saved))
        return found

    def _shared_points(self, shared: frozenset[str]) -> float:
        if shared not in self._saved:
            most, enough = self._shared
            self._saved[shared] = most * min(1.0, sum(self._instances[name] for name in sorted(shared)) / enough)
        return self._saved[shared]


def _replica(me: Tenant, other: Tenant) -> bool:
    return bool(me.application) and me.server_type == other.server_type and me.environment == other.environment


def _apart(one: str, another: str) -> bool:
    return bool(one and another) and PRODUCTION in (one, another)


def sentence(affinity: Affinity, tenant: Tenant) -> str:
    """The affinity in words."""
    other = affinity.other.name
    if affinity.kind == "near":
        uses = other in tenant.uses or tenant.name in affinity.other.used_by
        return f"{other}, which {'it uses' if uses else 'uses it'}, is on this device: no network between them"
    if affinity.kind == "primary":
        primary = "its primary" if other in tenant.follows else "its standby"
        return f"{other}, {primary}, is on this device: one power cut would take both"
    if affinity.kind == "replica":
        return f"{other} is here: another {_kind(tenant)} of the same application, and one power cut would take both"
    if affinity.kind == "environments":
        pair = sorted({tenant.environment, affinity.other.environment})
        return f"{other} is here: {' and '.join(pair)} are better kept apart"
    *first, last = (TITLES.get(name, name) for name in affinity.shared)
    shared = f"{', '.join(first)} and {last} of {other} are" if first else f"{last} of {other} is"
    return f"{shared} here already: sharing saves about {affinity.saved_mb:.0f}MB RAM"


def _kind(tenant: Tenant) -> str:
    """`laravel-worker-server` is a worker."""
    return tenant.server_type.removesuffix("-server").removeprefix("laravel-").replace("-", " ") or "server"
