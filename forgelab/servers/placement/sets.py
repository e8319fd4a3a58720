"""Several servers placed at once, and where the servers of a device would go if it were gone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from forgelab.devices.models import Device
from forgelab.devices.placement import Constraint, Placement, Tenant, Wanted, place_set
from forgelab.lib import names
from forgelab.lib.problems import ConfigInvalid, not_one_of
from forgelab.recipes.model import Recipe
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.colocation.obstacles import obstacle
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking
from forgelab.servers.provisioning import checks

MOST = 40  # servers in one set
KINDS = ("together", "apart", "on", "not_on", "spread")


@dataclass(frozen=True)
class Asked:
    """Servers of one type that are to be placed: one of this name, or `count` of them."""

    server_type: str
    name: str = ""
    environment: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1


@dataclass(frozen=True)
class WhatIf:
    """Where the servers of `device` would go without it."""

    device: Device
    servers: tuple[Server, ...]
    placement: Placement


def set_place(*, asked: Sequence[Asked], constraints: Sequence[Constraint] = ()) -> Placement:
    """A place for each of these servers, none of which is made by it.

    A constraint may name a server of the set or a type, which stands for all of its servers. A server that must name
    another one (a worker its database) is taken to use the first of the set that can be meant. Raises
    `ValidationError` naming `servers`, `servers[0].name`, `constraints[0]` and so on.
    """
    members = _linked(_members(asked))
    devices = ranking.device_list()
    found = _checked(constraints, members, devices)
    return place_set(
        [_wanted(one, members, devices) for one in members],
        ranking.candidates(devices),
        found,
        ranking.placement_policy(),
    )


def device_without(*, device: Device) -> WhatIf:
    """If this device were gone: where each of its servers would fit, what the others were promised counted in."""
    devices = [other for other in ranking.device_list() if other.pk != device.pk]
    servers = tuple(Server.objects.filter(device=device).order_by("name"))
    recipes = recipe_catalog().recipes
    members = [_Member(server, recipes.get(server.server_type)) for server in servers]
    wanted = [_wanted(one, members, devices) for one in members]
    found = place_set(wanted, ranking.candidates(devices), (), ranking.placement_policy())
    return WhatIf(device, servers, found)


@dataclass(frozen=True)
class _Member:
    """A server of the set, saved or not; `recipe` is None where it is gone."""

    server: Server
    recipe: Recipe | None

    @property
    def name(self) -> str:
        return self.server.name

    def tenant(self) -> Tenant:
        one = self.server
        return ranking.tenant(one.name, one.server_type, one.environment, one.config, self.recipe)

    def obstacle(self, servers: Sequence[Server]) -> str:
        return obstacle(list(servers), self.recipe, self.server.config, server=self.server) if self.recipe else ""


def _members(asked: Sequence[Asked]) -> list[_Member]:
    errors: dict[str, str] = {}
    total = sum(each.count for each in asked)
    if not 0 < total <= MOST:
        raise ValidationError({"servers": f"Ask for 1 to {MOST} servers, not {total}."})
    members: list[_Member] = []
    for number, each in enumerate(asked):
        try:
            members += _of(each, [member.name for member in members])
        except ValidationError as error:
            errors |= {f"servers[{number}].{key}": " ".join(said) for key, said in error.message_dict.items()}
    if errors:
        raise ValidationError(errors)
    return members


def _of(asked: Asked, taken: Iterable[str]) -> list[_Member]:
    recipe = checks.find_recipe(asked.server_type)
    checks.check_environment(asked.environment)
    if problem := names.slug_problem(asked.name) if asked.name else "":
        raise ValidationError({"name": f'"{asked.name}" is not a valid server name: {problem}.'})
    called = _names(asked, recipe, set(taken))
    config = _config(recipe, asked.config)
    return [_Member(_unsaved(asked, name, config), recipe) for name in called]


def _unsaved(asked: Asked, name: str, config: Mapping[str, Any]) -> Server:
    environment = asked.environment or ranking.environment_of(name)
    return Server(
        name=name, server_type=asked.server_type, environment=environment, config=dict(config), secrets={}, managed={}
    )


def _names(asked: Asked, recipe: Recipe, taken: set[str]) -> list[str]:
    """Its own name; of several, with numbers. Without a name they are called after their type."""
    stem = asked.name or recipe.id
    called = [stem] if asked.count == 1 else [f"{stem}-{number}" for number in range(1, asked.count + 1)]
    if twice := [name for name in called if name in taken]:
        raise ValidationError({"name": f"Two servers of the set are called {twice[0]}. Give each a name of its own."})
    return called


def _config(recipe: Recipe, given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete; options that must name a server, and do not, are left open."""
    open_options = {o.name: "to-be-named" for o in recipe.options if o.kind == "server" and o.required}
    try:
        cleaned = recipe.clean({**open_options, **given})
    except ConfigInvalid as invalid:
        raise ValidationError({f"config.{option}": said for option, said in invalid.errors.items()}) from None
    return {name: "" if name in open_options and name not in given else value for name, value in cleaned.items()}


def _linked(members: list[_Member]) -> list[_Member]:
    """With the options that must name a server naming the first of the set that fits."""
    for member in members:
        for option in member.recipe.options if member.recipe else ():
            if option.kind == "server" and option.required and not member.server.config.get(option.name):
                fitting = [other.name for other in members if other.server.server_type in option.server_types]
                member.server.config[option.name] = next((name for name in fitting if name != member.name), "")
    return members


def _wanted(member: _Member, members: Sequence[_Member], devices: Iterable[Device]) -> Wanted:
    recipe, server = member.recipe, member.server
    found = ranking.needs(recipe, server.config) if recipe else ranking.needs_of_stranger(server)
    obstacles = {device.name: member.obstacle(list(device.servers.all())) for device in devices}
    clashes = {other.name: member.obstacle([other.server]) for other in members if other is not member}
    return Wanted(
        member.tenant(),
        found,
        {device: said for device, said in obstacles.items() if said},
        {name: said for name, said in clashes.items() if said},
    )


def _checked(
    constraints: Sequence[Constraint], members: Sequence[_Member], devices: Sequence[Device]
) -> list[Constraint]:
    """The constraints with types replaced by the names of their servers."""
    known, found, errors = [device.name for device in devices], [], {}
    by_type: dict[str, list[str]] = {}
    for member in members:
        by_type.setdefault(member.server.server_type, []).append(member.name)
    everybody = [member.name for member in members]
    for number, constraint in enumerate(constraints):
        expanded, wrong = [], ""
        for name in constraint.names or everybody:
            if name not in everybody and name not in by_type:
                wrong = f"{not_one_of(name, [*everybody, *by_type])}."
            expanded += [name] if name in everybody else by_type.get(name, [])
        if constraint.kind in ("on", "not_on") and constraint.device not in known:
            wrong = f"{not_one_of(constraint.device, known)}; name a device there is."
        if wrong:
            errors[f"constraints[{number}]"] = wrong
        found.append(dataclasses.replace(constraint, names=tuple(dict.fromkeys(expanded))))
    if errors:
        raise ValidationError(errors)
    return found
