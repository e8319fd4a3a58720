"""Whether a server can be on a device beside those that are there, and who is in the way if not (docs/sharing.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.colocation import conflict, never_conflicts
from forgelab.recipes.model import Recipe, SupervisorConfig
from forgelab.recipes.resolve import ResolvedRecipe
from forgelab.recipes.roles.spec import RoleSpec
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.colocation.colocated import FIREWALL
from forgelab.servers.models import Server
from forgelab.servers.spec.links import known_links
from forgelab.servers.spec.resolving import resolved_recipe

NEW = "new-server"  # stands for a name that is not chosen yet


@dataclass
class _Tenant:
    """A server on the device, or one that is to be: its roles, and their values once somebody asks."""

    server: Server
    recipe: Recipe
    specs: dict[str, RoleSpec] = field(init=False)

    def __post_init__(self) -> None:
        self.specs = {component.name: component.role for component in self.recipe.selected(self.server.config)}
        self._resolved: ResolvedRecipe | None = None

    @property
    def name(self) -> str:
        return "the new server" if self.server.name == NEW else self.server.name

    @property
    def has_firewall_options(self) -> bool:
        return any(component.name == FIREWALL for component in self.recipe.components)

    @property
    def listens(self) -> bool:
        return any(spec.listens for spec in self.specs.values())

    def resolved(self) -> ResolvedRecipe:
        """Raises `ConfigInvalid` when its recipe allows less than it did."""
        if self._resolved is None:
            self._resolved = resolved_recipe(self.server, self.recipe, known_links(self.server, self.recipe))
        return self._resolved


def obstacle(
    servers: list[Server], recipe: Recipe, config: Mapping[str, Any] | None = None, *, server: Server | None = None
) -> str:
    """Why a server of this recipe and config cannot be where `servers` are, as a sentence without a full stop; else "".

    `servers` are all on one device. Without `config` the question is asked for the recipe's defaults. `server` is the
    one that is to be there, if it is known; it may be among `servers`.
    """
    others = [other for other in servers if server is None or other.pk != server.pk]
    if not others:
        return ""
    try:
        wanted = _Tenant(_candidate(others[0], recipe, config, server), recipe)
    except ConfigInvalid:  # nothing can be said of it, and it will be refused for that
        return ""
    sentences = (_beside(wanted, other) for other in others)
    return next((sentence for sentence in sentences if sentence), "")


def _candidate(other: Server, recipe: Recipe, config: Mapping[str, Any] | None, server: Server | None) -> Server:
    """The server as it would be, never saved; what is not known of it yet is like nobody else's."""
    initial = {
        option.name: NEW if option.required and option.kind == "server" else option.initial for option in recipe.options
    }
    known = (server.secrets if server else None) or {}
    return Server(
        name=server.name if server else NEW,
        server_type=recipe.id,
        device_id=other.device_id,
        config=recipe.clean({**initial, **(config or {})}),
        secrets={secret.name: known.get(secret.name) or f"not made yet: {secret.name}" for secret in recipe.secrets},
    )


def _beside(wanted: _Tenant, server: Server) -> str:
    recipe = recipe_catalog().recipes.get(server.server_type)
    try:
        said = _clash(wanted, _Tenant(server, recipe)) if recipe else _stranger(wanted, server)
    except ConfigInvalid:
        said = _stranger(wanted, server)
    return f"{server.name} is on it already and {said}" if said else ""


def _clash(wanted: _Tenant, other: _Tenant) -> str:
    for name, spec in wanted.specs.items():
        for theirs in other.specs.values():
            if theirs.name in spec.colocation.conflicts or name in theirs.colocation.conflicts:
                return f"has {theirs.title} there, which {spec.title} cannot be beside"
        if name in other.specs and not never_conflicts(spec):
            mine, hers = (
                next(each for each in tenant.resolved().components if each.name == name) for tenant in (wanted, other)
            )
            if said := conflict(spec, mine, hers, wanted.name):
                return said
    return _programs(wanted, other) or _firewall(wanted, other)


def _programs(wanted: _Tenant, other: _Tenant) -> str:
    """The Supervisor programs of a recipe lie in files that are named after it."""
    if wanted.recipe.id != other.recipe.id or not any(
        isinstance(item, SupervisorConfig) for item in wanted.recipe.post_install
    ):
        return ""
    mine, theirs = (
        [item.config for item in tenant.resolved().post_install if isinstance(item, SupervisorConfig)]
        for tenant in (wanted, other)
    )
    same = not mine or not theirs or mine == theirs
    return "" if same else f"has the Supervisor programs of {wanted.recipe.name} there, with other settings"


def _firewall(wanted: _Tenant, other: _Tenant) -> str:
    """A firewall shuts what it is not told of, and only the component `firewall` of a recipe tells."""
    if FIREWALL in wanted.specs and not other.has_firewall_options and other.listens:
        return f"its recipe opens no ports, so the firewall of {wanted.name} would shut it off"
    if FIREWALL in other.specs and not wanted.has_firewall_options and wanted.listens:
        return f"its firewall would shut off {wanted.name}, whose recipe opens no ports"
    return ""


def _stranger(wanted: _Tenant, server: Server) -> str:
    """Of a server whose recipe is gone, only the record of what was put there can be asked."""
    both = [spec.title for name, spec in wanted.specs.items() if name in server.managed and not never_conflicts(spec)]
    there = f"manages {', '.join(both)} there, but its recipe {server.server_type} is gone or has changed"
    return f"{there}, so whether both can have it is not known" if both else ""
