"""Where a server would fit: every device with its score."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Prefetch

from forgelab.devices import placement
from forgelab.devices.models import Device
from forgelab.devices.placement import Candidate, Policy, Score, rank
from forgelab.lib.problems import DocumentError
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.colocation.obstacles import obstacle
from forgelab.servers.models import Server
from forgelab.servers.placement.tenancy import needs, tenant, tenant_of
from forgelab.servers.spec.server_spec import Recipes, ServerSpec

USABLE = (Device.Status.REACHABLE, Device.Status.ASLEEP)
Obstacle = Callable[[list[Server]], str]


def placement_rank(spec: ServerSpec) -> list[Score]:
    """Every device with its score for this server, best first. It may be a draft.

    Raises `ValidationError` naming `placement` where the installation's weights have mistakes.
    """
    in_the_way = partial(obstacle, spec=spec, recipes=recipe_catalog().recipes)
    return rank(candidates(device_list(), in_the_way), needs(spec), tenant(spec), placement_policy())


def placement_policy() -> Policy:
    """The weights, with what the installation changed of them.

    Raises `ValidationError` naming `placement`, with the file, line and key of every mistake.
    """
    try:
        chosen = placement.policy(settings.PLACEMENT_FILE)
    except DocumentError as wrong:
        raise ValidationError({"placement": f"{settings.PLACEMENT_FILE}: {wrong}"}) from None
    declared = {name: role.metadata.instance_mb for name, role in recipe_catalog().roles.specs.items()}
    return dataclasses.replace(chosen, instances={name: mb for name, mb in declared.items() if mb} | chosen.instances)


def device_list() -> list[Device]:
    """All devices with their servers, in two queries."""
    return list(Device.objects.prefetch_related(Prefetch("servers", Server.objects.order_by("name"))))


def candidates(devices: Iterable[Device], in_the_way: Obstacle | None = None) -> list[Candidate]:
    """`in_the_way` says which of a device's servers is an obstacle, as a sentence."""
    recipes = recipe_catalog().recipes
    return [candidate(device, in_the_way, recipes) for device in devices]


def candidate(device: Device, in_the_way: Obstacle | None = None, recipes: Recipes | None = None) -> Candidate:
    """The device as placement sees it."""
    servers = list(device.servers.all())
    measured = [server for server in servers if _is_measured(server, device)]
    pending = [server for server in servers if server not in measured]
    return Candidate(
        name=device.name,
        reachable=device.status in USABLE,
        asleep=device.status == Device.Status.ASLEEP,
        distribution=device.distribution,
        distribution_version=device.distribution_version,
        distribution_release=device.distribution_release,
        architecture=device.architecture,
        memory_total_mb=device.memory_total_mb or 0,
        memory_available_mb=device.memory_available_mb or 0,
        reserved_mb=sum(server.memory_mb for server in measured),
        pending_mb=sum(server.memory_mb for server in pending),
        disk_total_mb=device.disk_total_mb or device.disk_free_mb or 0,
        disk_free_mb=device.disk_free_mb or 0,
        reserved_disk_mb=sum(server.storage_mb for server in measured),
        pending_disk_mb=sum(server.storage_mb for server in pending),
        disk_kind=device.disk_kind,
        cores=device.cores or 0,
        load_percent=device.load_percent or 0,
        availability_percent=device.availability_percent,
        listening=_listening(device),
        servers=tuple(tenant_of(server, recipes) for server in servers),
        obstacle=in_the_way(servers) if in_the_way and servers else "",
    )


def _is_measured(server: Server, device: Device) -> bool:
    """Whether what the server uses is part of the device's figures: they are younger than the server."""
    return bool(server.provisioned_at and device.seen_at and device.seen_at >= server.provisioned_at)


def _listening(device: Device) -> dict[int, str]:
    """From the device itself, so nothing is believed of its form."""
    rows = device.listening if isinstance(device.listening, list) else []
    found = {row.get("port"): str(row.get("process") or "") for row in rows if isinstance(row, dict)}
    return {port: process for port, process in found.items() if isinstance(port, int)}
