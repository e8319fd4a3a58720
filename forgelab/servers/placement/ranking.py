"""Where a server would fit: the devices and their servers as placement sees them, and the ranking."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Prefetch

from forgelab.devices import placement
from forgelab.devices.models import Device
from forgelab.devices.placement import Candidate, Needs, Policy, Rare, Score, Tenant, rank
from forgelab.lib.problems import ConfigInvalid, DocumentError
from forgelab.recipes.context import standard_context
from forgelab.recipes.model import Amount, Recipe
from forgelab.recipes.ports import recipe_ports
from forgelab.recipes.versions.distributions import oldest_versions
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.colocation.obstacles import obstacle
from forgelab.servers.models import Server
from forgelab.servers.spec.links import named_servers

CAN_BE_HAD = (Device.Status.REACHABLE, Device.Status.ASLEEP)
NOUNS = {
    "app_server": "app", "web_server": "app", "database_server": "database", "worker_server": "worker",
    "cache_server": "cache",
}  # fmt: skip
Config = Mapping[str, Any]


def placement_rank(
    *, recipe: Recipe, config: Config | None = None, name: str = "", environment: str = ""
) -> list[Score]:
    """Every device with its score for a server of this recipe, best first.

    `config`, `name` and `environment` are the server's as far as they are known; without a config, the recipe's
    defaults count. Raises `ValidationError` naming `placement` where the installation's weights have mistakes.
    """
    chosen = with_defaults(recipe, config)
    who = tenant(name, recipe.id, environment or environment_of(name), chosen, recipe)
    asking = Server(name=name, server_type=recipe.id) if name else None
    in_the_way = lambda servers: obstacle(servers, recipe, config, server=asking)  # noqa: E731
    return rank(candidates(device_list(), in_the_way), needs(recipe, chosen), who, placement_policy())


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


def promise(recipe: Recipe, config: Config) -> dict[str, int]:
    """What a server is promised on its device, by the fields of `Server`: what it needs at least."""
    wanted = recipe.needs(config)
    return {"memory_mb": wanted.memory_mb.minimum, "storage_mb": wanted.storage_mb.minimum}


def device_list() -> list[Device]:
    """All devices with their servers, in two queries."""
    return list(Device.objects.prefetch_related(Prefetch("servers", Server.objects.order_by("name"))))


def candidates(devices: Iterable[Device], in_the_way: Callable[[list[Server]], str] | None = None) -> list[Candidate]:
    """`in_the_way` tells of a device's servers which of them is an obstacle."""
    return [candidate(device, in_the_way) for device in devices]


def candidate(device: Device, in_the_way: Callable[[list[Server]], str] | None = None) -> Candidate:
    servers = list(device.servers.all())
    seen = [server for server in servers if _is_measured(server, device)]
    coming = [server for server in servers if server not in seen]
    return Candidate(
        name=device.name,
        reachable=device.status in CAN_BE_HAD,
        asleep=device.status == Device.Status.ASLEEP,
        distribution=device.distribution,
        distribution_version=device.distribution_version,
        distribution_release=device.distribution_release,
        architecture=device.architecture,
        memory_total_mb=device.memory_total_mb or 0,
        memory_available_mb=device.memory_available_mb or 0,
        reserved_mb=sum(server.memory_mb for server in seen),
        pending_mb=sum(server.memory_mb for server in coming),
        disk_total_mb=device.disk_total_mb or device.disk_free_mb or 0,
        disk_free_mb=device.disk_free_mb or 0,
        reserved_disk_mb=sum(server.storage_mb for server in seen),
        pending_disk_mb=sum(server.storage_mb for server in coming),
        disk_kind=device.disk_kind,
        cores=device.cores or 0,
        load_percent=device.load_percent or 0,
        availability_percent=device.availability_percent,
        listening=_listening(device),
        servers=tuple(tenant_of(server) for server in servers),
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


def needs(recipe: Recipe, config: Config) -> Needs:
    """What a server of this recipe with this complete config asks of its device."""
    wanted = recipe.needs(config)
    return Needs(
        memory_mb=_pair(wanted.memory_mb),
        storage_mb=_pair(wanted.storage_mb),
        cores=_pair(wanted.cores),
        architectures=wanted.architectures,
        ports=recipe_ports(recipe, config),
        rare=tuple(_rare(recipe, config)),
        noun=NOUNS.get(recipe.server_type, "server"),
        distributions=wanted.distributions or supported_distributions(),
    )


def needs_of_stranger(server: Server) -> Needs:
    """Of a server whose recipe is gone: what it was promised."""
    return Needs(
        (server.memory_mb, server.memory_mb),
        (server.storage_mb, server.storage_mb),
        (1, 1),
        supported_distributions(),
        noun="server",
    )


def supported_distributions() -> dict[str, str]:
    """The oldest version of each distribution that ForgeLab's roles support, by its id."""
    return oldest_versions(recipe_catalog().roles.distributions)


def _pair(amount: Amount) -> tuple[int, int]:
    return amount.minimum, amount.recommended


def _rare(recipe: Recipe, config: Config) -> Iterable[Rare]:
    for component in recipe.selected(config):
        version = recipe.version_of(component, config)
        if found := component.role.versions.limited_to(version):
            yield Rare(f"{component.role.title} {version}", found.source, found.architectures, found.releases)


def with_defaults(recipe: Recipe, config: Config | None) -> dict[str, Any]:
    return {option.name: option.initial for option in recipe.options} | dict(config or {})


def tenant_of(server: Server) -> Tenant:
    recipe = recipe_catalog().recipes.get(server.server_type)
    return tenant(server.name, server.server_type, server.environment, server.config, recipe)


def tenant(name: str, server_type: str, environment: str, config: Config, recipe: Recipe | None) -> Tenant:
    """The server as its neighbours see it; of one whose recipe is gone only little is known.

    A `server` option names a server that it uses, a `servers` option those that use it; an option that names servers of
    its own type is about copies of its data.
    """
    links: dict[str, set[str]] = {"uses": set(), "used_by": set(), "follows": set()}
    for option, named in named_servers(recipe, config) if recipe else ():
        own = server_type in option.server_types
        links["follows" if own else "uses" if option.kind == "server" else "used_by"].update(named)
    return Tenant(
        name=name,
        server_type=server_type,
        environment=environment,
        application=_application(name, config),
        components=frozenset(each.name for each in recipe.selected(config)) if recipe else frozenset(),
        **{kind: frozenset(names) for kind, names in links.items()},
    )


def _application(name: str, config: Config) -> str:
    """As the recipes have it: what was chosen, else what the name says."""
    if chosen := config.get("app_name"):
        return str(chosen)
    return _of_name(name, "APP_NAME")


def environment_of(name: str) -> str:
    """`laravel-staging` is in staging; what names no environment that ForgeLab knows is in production."""
    found = _of_name(name, "APP_ENV")
    return found if found in Server.Environment.values else Server.Environment.PRODUCTION.value


def _of_name(name: str, key: str) -> str:
    try:
        return standard_context(name)[key]
    except ConfigInvalid:  # no name yet, or one that will be refused
        return ""
