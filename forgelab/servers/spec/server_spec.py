"""A server as it is on record, or as somebody wants it: what checks, placement and plans are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from forgelab.devices.models import Device
from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.context import standard_context
from forgelab.recipes.model import Component, Recipe, Requirements
from forgelab.recipes.options import Option, hidden
from forgelab.recipes.ports import recipe_ports
from forgelab.recipes.resolve import Linked, ResolvedComponent, ResolvedRecipe, resolve, resolve_component
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server

Links = Mapping[str, Linked]
Recipes = Mapping[str, Recipe]
# In `Server.placement`: the memory, in MiB, that was reserved for the others on the device before this one came.
RESERVED, RESERVED_UNTIL_2026_11 = "reserved_mb", "promised_mb"


@dataclass(frozen=True)
class ServerSpec:
    """What a server is made of. `config` has only options that the recipe knows; of a wanted server it is complete.

    `secrets` are in clear, by name. `server` is the record of one that exists, `device` where it is or is to be, as
    far as that is known. `placement` is what was noted when its device was chosen.
    """

    recipe: Recipe
    name: str
    environment: str
    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    server: Server | None = None
    device: Device | None = None
    placement: Mapping[str, Any] = field(default_factory=dict)

    @property
    def components(self) -> tuple[Component, ...]:
        """What its config brings in, in the manifest's order."""
        return tuple(self.recipe.selected(self.config))

    def brings(self, name: str) -> bool:
        return any(component.name == name for component in self.components)

    @property
    def requirements(self) -> Requirements:
        return self.recipe.needs(self.config)

    @property
    def reserved(self) -> dict[str, int]:
        """What is reserved for it on its device, in MiB, by the fields of `Server`: what it needs at least."""
        needs = self.requirements
        return {"memory_mb": needs.memory_mb.minimum, "storage_mb": needs.storage_mb.minimum}

    @property
    def reserved_before_mb(self) -> int:
        """The memory, in MiB, that was reserved for others on the device before this server came."""
        noted = self.placement.get(RESERVED) or self.placement.get(RESERVED_UNTIL_2026_11)
        return noted if isinstance(noted, int) else 0

    @property
    def ports(self) -> dict[int, str]:
        """Each TCP port that it will listen on, with the name of the process."""
        return recipe_ports(self.recipe, self.config)

    def named_servers(self) -> list[tuple[Option, list[str]]]:
        """Every option that names servers and applies, with the names; a `server` option left empty is left out."""
        initial = {option.name: option.initial for option in self.recipe.options}
        unasked = {option.name for option in hidden(self.recipe.options, {**initial, **self.config})}
        options = [o for o in self.recipe.options if o.kind in ("server", "servers") and o.name not in unasked]
        found = [(option, _names(self.config.get(option.name))) for option in options]
        return [(option, names) for option, names in found if names or option.kind == "servers"]

    def resolved(self, links: Links | None = None) -> ResolvedRecipe:
        """The recipe with every choice made. `links` are what is known of the servers that its options name.

        Raises `ConfigInvalid` where the recipe does not allow this config (any more).
        """
        return resolve(self.recipe, self.config, standard_context(self.name), self._secrets(), links or {})

    def resolved_component(self, name: str, links: Links | None = None) -> ResolvedComponent | None:
        """One component, also where the config does not bring it in; None for one the recipe lacks. Raises likewise."""
        context = standard_context(self.name)
        return resolve_component(self.recipe, name, self.config, context, self._secrets(), links or {})

    def _secrets(self) -> dict[str, str]:
        """By the recipe's names; one that the recipe has got since is empty until the server is reprovisioned."""
        return {secret.name: self.secrets.get(secret.name, "") for secret in self.recipe.secrets}


def _names(value: object) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return list(value) if isinstance(value, Iterable) else []


def recorded(server: Server, recipes: Recipes | None = None) -> ServerSpec | None:
    """The server as it is on record; None where its recipe is gone. An option that the recipe lost is left out.

    Who asks for many servers reads the catalog once and passes its `recipes`.
    """
    recipe = (recipe_catalog().recipes if recipes is None else recipes).get(server.server_type)
    return with_recipe(server, recipe) if recipe else None


def outline(server: Server, recipes: Recipes | None = None) -> ServerSpec | None:
    """The same without secrets and device, for questions about its config; they may not have been read."""
    recipe = (recipe_catalog().recipes if recipes is None else recipes).get(server.server_type)
    if recipe is None:
        return None
    return ServerSpec(recipe, server.name, server.environment, known_options(recipe, server.config))


def with_recipe(server: Server, recipe: Recipe) -> ServerSpec:
    """The server as it is on record, with the recipe as it is now."""
    return ServerSpec(
        recipe=recipe,
        name=server.name,
        environment=server.environment,
        config=known_options(recipe, server.config),
        secrets=server.secrets or {},
        server=server,
        device=server.device if server.device_id else None,
        placement=server.placement,
    )


def known_options(recipe: Recipe, config: Mapping[str, Any]) -> dict[str, Any]:
    known = {option.name for option in recipe.options}
    return {name: value for name, value in config.items() if name in known}


def with_defaults(recipe: Recipe, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {option.name: option.initial for option in recipe.options} | dict(config or {})


def draft(
    recipe: Recipe, *, name: str = "", environment: str = "", config: Mapping[str, Any] | None = None
) -> ServerSpec:
    """A server that somebody is still describing: what is not known yet is the recipe's default, nothing is checked."""
    return ServerSpec(recipe, name, environment or environment_of(name), with_defaults(recipe, config))


def environment_of(name: str) -> str:
    """`laravel-staging` is in staging; what names no environment that ForgeLab knows is in production."""
    found = told_by_name(name, "APP_ENV")
    return found if found in Server.Environment.values else Server.Environment.PRODUCTION.value


def told_by_name(name: str, key: str) -> str:
    """A standard placeholder's value for a server of this name; empty where it has no name yet, or a wrong one."""
    try:
        return standard_context(name)[key]
    except ConfigInvalid:
        return ""
