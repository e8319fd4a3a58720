"""The other servers on a server's device, and what its plan has to take over from theirs.

What the roles merge (`merged` in a role's `meta/forgelab.yml`) is in the plan of every server on the device, whole:
so the plans of all want the same, in whatever order they run. The firewall is the device's: as soon as one server has
it, it opens what each of them listens for, also for those that were provisioned without it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.colocation import merged
from forgelab.recipes.resolve import ResolvedComponent, ResolvedRecipe
from forgelab.recipes.roles.spec import RoleSpec
from forgelab.servers.models import Server
from forgelab.servers.spec.links import colocated_links
from forgelab.servers.spec.server_spec import Links, ServerSpec, recorded

FIREWALL = "firewall"


@dataclass(frozen=True)
class Colocated:
    """Another server on the device, and what is known of the servers that it names."""

    spec: ServerSpec
    links: Links

    def component(self, name: str) -> ResolvedComponent | None:
        """What the server gives to a role that it brings; of the firewall also what it would give it."""
        if name != FIREWALL and not self.spec.brings(name):
            return None
        return self.spec.resolved_component(name, self.links)


def colocated(server: Server) -> list[Colocated]:
    """The others on its device that count: not being decommissioned, nor failed before they had touched it.

    An orphaned one is left out (see `orphaned`). Raises `ConfigInvalid` where the address of a server that one of them
    lets in cannot be found.
    """
    found = []
    for spec in filter(None, map(_known, _others(server))):
        try:
            found.append(Colocated(spec, colocated_links(spec)))
        except ConfigInvalid as invalid:
            sentence = "; ".join(invalid.errors.values())
            raise ConfigInvalid({FIREWALL: f"{spec.name}, on the same device, names others: {sentence}"}) from None
    return found


def orphaned(server: Server) -> list[Server]:
    """The others on its device whose recipe is gone or has changed: only the record of what was put there is known."""
    return [other for other in _others(server) if not _known(other)]


def _others(server: Server) -> list[Server]:
    others = server.device.servers.exclude(pk=server.pk).exclude(status=Server.Status.DECOMMISSIONING)
    never_was = {"status": Server.Status.FAILED, "provisioned_at": None, "managed": {}}
    return list(others.exclude(**never_was).select_related("device"))


def _known(server: Server) -> ServerSpec | None:
    spec = recorded(server)
    try:
        return spec if spec and spec.recipe.clean(spec.config) else None
    except ConfigInvalid:
        return None


def colocated_components(spec: ServerSpec, resolved: ResolvedRecipe, links: Links) -> list[ResolvedComponent]:
    """The server's components, with what the others on its device want of the same roles, and with the firewall if one
    of them has it.
    """
    others = colocated(_on_device(spec))
    components = list(resolved.components)
    has_it = any(component.name == FIREWALL for component in components)
    if not has_it and any(other.spec.brings(FIREWALL) for other in others):
        own = spec.resolved_component(FIREWALL, links)
        components += [own] if own else []
    roles = {component.name: component.role for component in spec.recipe.components}
    return [_joined(roles[each.name], each, others) for each in components]


def _on_device(spec: ServerSpec) -> Server:
    return spec.server or Server(name=spec.name, device=spec.device)


def _joined(role: RoleSpec, component: ResolvedComponent, others: Iterable[Colocated]) -> ResolvedComponent:
    if not role.colocation.merged:
        return component
    found = [theirs for other in others if (theirs := other.component(role.name))]
    return dataclasses.replace(component, variables=merged(role, component, found))


def firewall_without(server: Server) -> dict[str, Any] | None:
    """The firewall's variables as the others on the device want them once the server is gone.

    `None` where it is the only one; of others without a firewall an absent one.
    """
    others = colocated(server)
    wants = [other for other in others if other.spec.brings(FIREWALL)]
    if not wants:
        return {"firewall_state": "absent", "firewall_allowed": []} if others else None
    role = next(each.role for each in wants[0].spec.recipe.components if each.name == FIREWALL)
    first = wants[0].component(FIREWALL)
    assert first  # noqa: S101 - for mypy: it brings one
    return merged(role, first, [found for other in others if (found := other.component(FIREWALL))])
