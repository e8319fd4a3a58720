"""Whether a server can be on a device beside the others, and who is in the way if not (docs/colocation.md)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import cached_property

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.colocation import conflict, never_conflicts
from forgelab.recipes.model import SupervisorConfig
from forgelab.recipes.resolve import ResolvedComponent, ResolvedRecipe
from forgelab.recipes.roles.spec import RoleSpec
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.colocation.colocated import FIREWALL
from forgelab.servers.models import Server
from forgelab.servers.spec.links import known_links
from forgelab.servers.spec.server_spec import Recipes, ServerSpec, recorded

NEW = "new-server"  # stands for a name that is not chosen yet


@dataclasses.dataclass(frozen=True)
class _Occupant:
    """A server on the device, or one that is to be: its roles, and their values once somebody asks."""

    spec: ServerSpec

    @cached_property
    def roles(self) -> dict[str, RoleSpec]:
        return {component.name: component.role for component in self.spec.components}

    @property
    def name(self) -> str:
        return "the new server" if self.spec.name == NEW else self.spec.name

    @property
    def has_firewall_options(self) -> bool:
        return any(component.name == FIREWALL for component in self.spec.recipe.components)

    @property
    def listens(self) -> bool:
        return any(role.listens for role in self.roles.values())

    @cached_property
    def resolved(self) -> ResolvedRecipe:
        """Raises `ConfigInvalid` when its recipe allows less than it did."""
        return self.spec.resolved(known_links(self.spec))

    def component(self, name: str) -> ResolvedComponent:
        return next(each for each in self.resolved.components if each.name == name)

    @property
    def programs(self) -> list[str]:
        return [item.config for item in self.resolved.post_install if isinstance(item, SupervisorConfig)]


def obstacle(servers: Iterable[Server | ServerSpec], spec: ServerSpec, recipes: Recipes | None = None) -> str:
    """Why the server cannot be where `servers` are, as a sentence without a full stop; else "".

    `servers` are all on one device, or all on none yet. The server itself may be among them. Its config may be a draft.
    """
    others = [other for other in servers if spec.server is None or _record(other) != spec.server]
    if not others:
        return ""
    try:
        wanted = _Occupant(_candidate(spec, others[0]))
    except ConfigInvalid:  # nothing can be said of it, and it will be refused for that
        return ""
    recipes = recipe_catalog().recipes if recipes is None else recipes
    sentences = (_beside(wanted, other, recipes) for other in others)
    return next((sentence for sentence in sentences if sentence), "")


def _record(other: Server | ServerSpec) -> Server | None:
    return other.server if isinstance(other, ServerSpec) else other


def _candidate(spec: ServerSpec, other: Server | ServerSpec) -> ServerSpec:
    """The server as it would be beside the other one; what is not known of it yet is like nobody else's."""
    unnamed = {o.name: NEW for o in spec.recipe.options if o.required and o.kind == "server"}
    config = spec.recipe.clean({**spec.config, **{name: NEW for name in unnamed if not spec.config.get(name)}})
    secrets = {each.name: spec.secrets.get(each.name) or f"not made yet: {each.name}" for each in spec.recipe.secrets}
    device = other.device if isinstance(other, ServerSpec) or other.device_id else None
    return dataclasses.replace(spec, name=spec.name or NEW, config=config, secrets=secrets, device=device)


def _beside(wanted: _Occupant, other: Server | ServerSpec, recipes: Recipes) -> str:
    spec = other if isinstance(other, ServerSpec) else recorded(other, recipes)
    try:
        sentence = _conflict(wanted, _Occupant(spec)) if spec else _with_orphaned(wanted, _record(other))
    except ConfigInvalid:
        sentence = _with_orphaned(wanted, _record(other))
    return f"{other.name} is on it already and {sentence}" if sentence else ""


def _conflict(wanted: _Occupant, other: _Occupant) -> str:
    for name, role in wanted.roles.items():
        for theirs in other.roles.values():
            if theirs.name in role.colocation.conflicts or name in theirs.colocation.conflicts:
                return f"has {theirs.title} there, which {role.title} cannot be beside"
        if name not in other.roles or never_conflicts(role):
            continue
        if sentence := conflict(role, wanted.component(name), other.component(name), wanted.name):
            return sentence
    return _programs(wanted, other) or _firewall(wanted, other)


def _programs(wanted: _Occupant, other: _Occupant) -> str:
    """The Supervisor programs of a recipe lie in files that are named after it."""
    recipe = wanted.spec.recipe
    if recipe.id != other.spec.recipe.id or not any(isinstance(one, SupervisorConfig) for one in recipe.post_install):
        return ""
    mine, theirs = wanted.programs, other.programs
    same = not mine or not theirs or mine == theirs
    return "" if same else f"has the Supervisor programs of {recipe.name} there, with other settings"


def _firewall(wanted: _Occupant, other: _Occupant) -> str:
    """A firewall closes what it is not asked to open, and only the component `firewall` of a recipe asks it."""
    if FIREWALL in wanted.roles and not other.has_firewall_options and other.listens:
        return f"its recipe opens no ports, so the firewall of {wanted.name} would shut it off"
    if FIREWALL in other.roles and not wanted.has_firewall_options and wanted.listens:
        return f"its firewall would shut off {wanted.name}, whose recipe opens no ports"
    return ""


def _with_orphaned(wanted: _Occupant, server: Server | None) -> str:
    """Of a server whose recipe is gone, only the record of what was put there can be asked."""
    if server is None:
        return ""
    both = [role.title for name, role in wanted.roles.items() if name in server.managed and not never_conflicts(role)]
    there = f"manages {', '.join(both)} there, but its recipe {server.server_type} is gone or has changed"
    return f"{there}, so whether both can have it is not known" if both else ""
