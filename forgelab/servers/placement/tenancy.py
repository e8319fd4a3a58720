"""A server as placement sees it: what it asks of a device, and what it is to the other servers."""

from __future__ import annotations

from collections.abc import Iterable

from forgelab.devices.placement import Needs, Rare, Tenant
from forgelab.recipes.model import Amount
from forgelab.recipes.versions.distributions import oldest_versions
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.spec.server_spec import Recipes, ServerSpec, outline, told_by_name

NOUNS = {
    "app_server": "app", "web_server": "app", "database_server": "database", "worker_server": "worker",
    "cache_server": "cache",
}  # fmt: skip


def needs(spec: ServerSpec) -> Needs:
    """What the server asks of its device."""
    wanted = spec.requirements
    return Needs(
        memory_mb=_pair(wanted.memory_mb),
        storage_mb=_pair(wanted.storage_mb),
        cores=_pair(wanted.cores),
        architectures=wanted.architectures,
        ports=spec.ports,
        rare=tuple(_rare(spec)),
        noun=NOUNS.get(spec.recipe.server_type, "server"),
        distributions=wanted.distributions or supported_distributions(),
    )


def needs_of_orphaned(server: Server) -> Needs:
    """Of a server whose recipe is gone: what is reserved for it."""
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


def _rare(spec: ServerSpec) -> Iterable[Rare]:
    for component in spec.components:
        version = spec.recipe.version_of(component, spec.config)
        if found := component.role.versions.limited_to(version):
            yield Rare(f"{component.role.title} {version}", found.source, found.architectures, found.releases)


def tenant(spec: ServerSpec) -> Tenant:
    """The server as the others see it.

    A `server` option names a server that it uses, a `servers` option those that use it; an option that names servers of
    its own type is about copies of its data.
    """
    links: dict[str, set[str]] = {"uses": set(), "used_by": set(), "follows": set()}
    for option, names in spec.named_servers():
        own = spec.recipe.id in option.server_types
        links["follows" if own else "uses" if option.kind == "server" else "used_by"].update(names)
    return Tenant(
        name=spec.name,
        server_type=spec.recipe.id,
        environment=spec.environment,
        application=_application(spec.name, spec.config.get("app_name")),
        components=frozenset(component.name for component in spec.components),
        **{kind: frozenset(names) for kind, names in links.items()},
    )


def tenant_of(server: Server, recipes: Recipes | None = None) -> Tenant:
    """Likewise of one on record; of an orphaned one only little is known."""
    if spec := outline(server, recipes):
        return tenant(spec)
    application = _application(server.name, server.config.get("app_name"))
    return Tenant(server.name, server.server_type, server.environment, application)


def _application(name: str, chosen: object) -> str:
    """As the recipes have it: what was chosen, else what the name says."""
    return str(chosen) if chosen else told_by_name(name, "APP_NAME")
