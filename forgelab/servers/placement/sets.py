"""Several servers placed at once, and where the servers of a device would go if it were gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forgelab.devices.models import Device
from forgelab.devices.placement import Constraint, Placement, Wanted, place_set
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.colocation.obstacles import obstacle
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking, tenancy
from forgelab.servers.placement.set_constraints import checked
from forgelab.servers.placement.set_requests import SetRequest, members_of
from forgelab.servers.spec.server_spec import ServerSpec, recorded

Member = ServerSpec | Server  # a server on record whose recipe is gone is only that


@dataclass(frozen=True)
class WhatIf:
    """Where the servers of `device` would go without it."""

    device: Device
    servers: tuple[Server, ...]
    placement: Placement


def set_place(*, requests: Sequence[SetRequest], constraints: Sequence[Constraint] = ()) -> Placement:
    """A place for each of these servers, none of which is made by it.

    A constraint may name a server of the set or a type, which stands for all of its servers. A server that must name
    another one (a worker its database) is taken to use the first of the set that fits. Raises `ValidationError` naming
    `servers`, `servers[0].name`, `constraints[0]` and so on.
    """
    members = members_of(requests)
    devices = ranking.device_list()
    return _placed(members, devices, checked(constraints, members, devices))


def device_without(*, device: Device) -> WhatIf:
    """If this device were gone: where each of its servers would fit, counting what is reserved for the others."""
    devices = [other for other in ranking.device_list() if other.pk != device.pk]
    servers = tuple(Server.objects.filter(device=device).select_related("device").order_by("name"))
    members = [recorded(server) or server for server in servers]
    return WhatIf(device, servers, _placed(members, devices, ()))


def _placed(members: Sequence[Member], devices: Sequence[Device], constraints: Sequence[Constraint]) -> Placement:
    wanted = [_wanted(member, members, devices) for member in members]
    return place_set(wanted, ranking.candidates(devices), constraints, ranking.placement_policy())


def _wanted(member: Member, members: Iterable[Member], devices: Iterable[Device]) -> Wanted:
    if isinstance(member, Server):
        return Wanted(tenancy.tenant_of(member), tenancy.needs_of_orphaned(member), {}, {})
    recipes = recipe_catalog().recipes
    obstacles = {device.name: obstacle(device.servers.all(), member, recipes) for device in devices}
    conflicts = {other.name: obstacle([other], member, recipes) for other in members if other is not member}
    return Wanted(
        tenancy.tenant(member),
        tenancy.needs(member),
        {device: sentence for device, sentence in obstacles.items() if sentence},
        {name: sentence for name, sentence in conflicts.items() if sentence},
    )
