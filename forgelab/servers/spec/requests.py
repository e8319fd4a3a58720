"""What somebody asks for, cleaned once: from here on only `ServerSpec` travels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from forgelab.devices.models import Device
from forgelab.lib import names
from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.model import Recipe
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.spec.server_spec import ServerSpec, environment_of, known_options


@dataclass(frozen=True)
class ServerRequest:
    """A new server, or this config for one that exists. Without a device, the best one.

    Without an `environment` a new server is in the one that its name ends with, else in production; an existing one
    stays where it is. With `purge`, packages and data of components that go are removed as well.
    """

    server_type: str
    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    environment: str = ""
    device: Device | None = None
    purge: bool = False


@dataclass(frozen=True)
class RemovalRequest:
    """That a server goes. Packages and data stay on the device unless `purge`."""

    server: Server
    purge: bool = False


def wanted(request: ServerRequest) -> ServerSpec:
    """The server that is asked for, with its complete config.

    Raises `ValidationError` naming `server_type`, `environment`, `name` or `config.<option>`.
    """
    recipe = find_recipe(request.server_type)
    check_environment(request.environment)
    config = _clean(recipe, request.name, request.config)
    return ServerSpec(recipe, request.name, request.environment or environment_of(request.name), config)


def changed(server: Server, changes: Mapping[str, Any], **more: Any) -> ServerRequest:
    """The server with these options changed and all others as they are; `more` are fields of the request.

    Raises `ValidationError` naming `server_type` where its recipe is gone.
    """
    config = known_options(find_recipe(server.server_type), server.config)
    return ServerRequest(server.server_type, server.name, {**config, **changes}, device=server.device, **more)


def find_recipe(server_type: str) -> Recipe:
    """Raises `ValidationError` naming `server_type` for an unknown one."""
    try:
        return recipe_catalog().get(server_type)
    except KeyError as error:
        raise ValidationError({"server_type": str(error.args[0])}) from None


def check_environment(environment: str) -> None:
    """Raises `ValidationError` naming `environment` for an unknown one; empty means none was chosen."""
    known = Server.Environment.values
    if environment and environment not in known:
        raise ValidationError({"environment": f'"{environment[:40]}" is not one of {", ".join(known)}.'})


def check_name(name: str) -> dict[str, str]:
    problem = names.slug_problem(name)
    return {"name": f'"{name}" is not a valid server name: {problem}.'} if problem else {}


def by_option(invalid: ConfigInvalid) -> dict[str, str]:
    """The sentences by the names that `ValidationError` gives to options."""
    return {f"config.{option}": sentence for option, sentence in invalid.errors.items()}


def _clean(recipe: Recipe, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    errors, cleaned = check_name(name), {}
    try:
        cleaned = recipe.clean(config)
    except ConfigInvalid as invalid:
        errors |= by_option(invalid)
    if errors:
        raise ValidationError(errors)
    return cleaned
