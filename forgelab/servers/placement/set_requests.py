"""The servers of a set to place: named, numbered and linked to each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.model import Recipe
from forgelab.servers.spec.requests import by_option, check_environment, check_name, find_recipe
from forgelab.servers.spec.server_spec import ServerSpec, environment_of

LIMIT = 40  # servers in one set


@dataclass(frozen=True)
class SetRequest:
    """Servers of one type that are to be placed: one of this name, or `count` of them."""

    server_type: str
    name: str = ""
    environment: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    count: int = 1


def members_of(requests: Sequence[SetRequest]) -> list[ServerSpec]:
    """Every server that is asked for. Raises `ValidationError` naming `servers` or `servers[0].name` and so on."""
    total = sum(request.count for request in requests)
    if not 0 < total <= LIMIT:
        raise ValidationError({"servers": f"Ask for 1 to {LIMIT} servers, not {total}."})
    errors: dict[str, str] = {}
    members: list[ServerSpec] = []
    for number, request in enumerate(requests):
        try:
            members += _of(request, {member.name for member in members})
        except ValidationError as error:
            errors |= {f"servers[{number}].{key}": " ".join(said) for key, said in error.message_dict.items()}
    if errors:
        raise ValidationError(errors)
    return [_linked(member, members) for member in members]


def _of(request: SetRequest, taken: set[str]) -> list[ServerSpec]:
    recipe = find_recipe(request.server_type)
    check_environment(request.environment)
    if errors := check_name(request.name) if request.name else {}:
        raise ValidationError(errors)
    names = _names(request, recipe, taken)
    config = _config(recipe, request.config)
    return [ServerSpec(recipe, name, request.environment or environment_of(name), config) for name in names]


def _names(request: SetRequest, recipe: Recipe, taken: set[str]) -> list[str]:
    """Its own name; of several, with numbers. Without a name they are called after their type."""
    stem = request.name or recipe.id
    names = [stem] if request.count == 1 else [f"{stem}-{number}" for number in range(1, request.count + 1)]
    if twice := [name for name in names if name in taken]:
        raise ValidationError({"name": f"Two servers of the set are called {twice[0]}. Give each a name of its own."})
    return names


def _config(recipe: Recipe, given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete; options that must name a server, and do not, are left empty."""
    unnamed = {option.name: "to-be-named" for option in recipe.options if option.kind == "server" and option.required}
    try:
        cleaned = recipe.clean({**unnamed, **given})
    except ConfigInvalid as invalid:
        raise ValidationError(by_option(invalid)) from None
    return {name: "" if name in unnamed and name not in given else value for name, value in cleaned.items()}


def _linked(member: ServerSpec, members: Iterable[ServerSpec]) -> ServerSpec:
    """With the options that must name a server naming the first of the set that fits."""
    found = {}
    for option in member.recipe.options:
        if option.kind == "server" and option.required and not member.config.get(option.name):
            fitting = [other.name for other in members if other.recipe.id in option.server_types]
            found[option.name] = next((name for name in fitting if name != member.name), "")
    return dataclasses.replace(member, config={**member.config, **found})
