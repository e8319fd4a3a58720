"""The other servers on a server's device, and what its plan has to take over from theirs.

What the roles merge (`merged` in a role's `meta/forgelab.yml`) is in the plan of every server on the device, whole: so
the plans of all want the same, in whatever order they run. The firewall is the device's: as soon as one server has it,
it opens what each of them listens for, also for those that were provisioned without it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.colocation import merged
from forgelab.recipes.model import Recipe
from forgelab.recipes.resolve import ResolvedComponent, ResolvedRecipe
from forgelab.recipes.roles.spec import RoleSpec
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.spec.links import neighbour_links
from forgelab.servers.spec.resolving import Links, resolved_component

FIREWALL = "firewall"


@dataclass(frozen=True)
class Neighbour:
    """A server with its recipe, and what is known of the servers that it names."""

    server: Server
    recipe: Recipe
    links: Links

    def component(self, name: str) -> ResolvedComponent | None:
        """What the server gives to a role that it brings; of the firewall also what it would give it."""
        if name != FIREWALL and not self.brings(name):
            return None
        return resolved_component(self.server, self.recipe, name, self.links)

    def brings(self, name: str) -> bool:
        return any(component.name == name for component in self.recipe.selected(self.server.config))


def neighbours(server: Server) -> list[Neighbour]:
    """The others on its device that count: not being taken down, nor failed before they had touched it.

    One whose recipe is gone or has changed is left out, since what it wants is not known (see `strangers`). Raises
    `ConfigInvalid` where the address of a server that one of them lets in cannot be found.
    """
    found = []
    for other in _others(server):
        if recipe := _known_recipe(other):
            try:
                found.append(Neighbour(other, recipe, neighbour_links(other, recipe)))
            except ConfigInvalid as invalid:
                told = "; ".join(invalid.errors.values())
                raise ConfigInvalid({FIREWALL: f"{other.name}, on the same device, names others: {told}"}) from None
    return found


def strangers(server: Server) -> list[Server]:
    """Those of which only the record of what was put on the device is known."""
    return [other for other in _others(server) if not _known_recipe(other)]


def _others(server: Server) -> list[Server]:
    others = server.device.servers.exclude(pk=server.pk).exclude(status=Server.Status.DECOMMISSIONING)
    never_was = {"status": Server.Status.FAILED, "provisioned_at": None, "managed": {}}
    return list(others.exclude(**never_was).select_related("device"))


def _known_recipe(server: Server) -> Recipe | None:
    recipe = recipe_catalog().recipes.get(server.server_type)
    try:
        return recipe if recipe and recipe.clean(_known(server, recipe)) else None
    except ConfigInvalid:
        return None


def _known(server: Server, recipe: Recipe) -> dict[str, Any]:
    names = {option.name for option in recipe.options}
    return {name: value for name, value in server.config.items() if name in names}


def joint_components(server: Server, recipe: Recipe, resolved: ResolvedRecipe, links: Links) -> list[ResolvedComponent]:
    """The server's components, with what its neighbours want of the same roles, and with the firewall if one has it."""
    others = neighbours(server)
    components = list(resolved.components)
    has_it = any(component.name == FIREWALL for component in components)
    if not has_it and any(other.brings(FIREWALL) for other in others):
        own = resolved_component(server, recipe, FIREWALL, links)
        components += [own] if own else []
    specs = {component.name: component.role for component in recipe.components}
    return [_joined(specs[each.name], each, others) for each in components]


def _joined(spec: RoleSpec, component: ResolvedComponent, others: Iterable[Neighbour]) -> ResolvedComponent:
    if not spec.colocation.merged:
        return component
    found = [theirs for other in others if (theirs := other.component(spec.name))]
    return dataclasses.replace(component, variables=merged(spec, component, found))


def firewall_without(server: Server) -> dict[str, Any] | None:
    """The firewall's variables as the others on the device want them once the server is gone.

    `None` where there is no other; of others without a firewall an absent one.
    """
    others = neighbours(server)
    wants = [other for other in others if other.brings(FIREWALL)]
    if not wants:
        return {"firewall_state": "absent", "firewall_allowed": []} if others else None
    spec = next(each.role for each in wants[0].recipe.components if each.name == FIREWALL)
    first = wants[0].component(FIREWALL)
    assert first  # noqa: S101 - for mypy: it brings one
    return merged(spec, first, [found for other in others if (found := other.component(FIREWALL))])
