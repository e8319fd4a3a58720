"""What must hold before a server is provisioned, looked at or taken down. Refusals are sentences by field."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from forgelab.devices.models import Device
from forgelab.lib import names
from forgelab.recipes.model import Recipe
from forgelab.recipes.problems import ConfigInvalid
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.servers import selectors
from forgelab.servers.models import Server
from forgelab.servers.plans import server_plan
from forgelab.servers.succession import inherited_secrets

PROVISION = "server.provision"
PLAN = "server.plan"
DECOMMISSION = "server.decommission"
ALPHABET = string.ascii_letters + string.digits  # no character that any configuration file or URL treats specially


def find_recipe(server_type: str) -> Recipe:
    """Raises `ValidationError` naming `server_type` when there is none."""
    catalog = selectors.recipe_catalog()
    try:
        return catalog.get(server_type)
    except KeyError as error:
        raise ValidationError({"server_type": str(error.args[0])}) from None


def clean_config(recipe: Recipe, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The complete config. Raises `ValidationError` naming `name` or `config.<option>`."""
    errors: dict[str, str] = {}
    if problem := names.slug_problem(name):
        errors["name"] = f'"{name}" is not a valid server name: {problem}.'
    cleaned: dict[str, Any] = {}
    try:
        cleaned = recipe.clean(config)
    except ConfigInvalid as invalid:
        errors |= {f"config.{option}": message for option, message in invalid.errors.items()}
    if errors:
        raise ValidationError(errors)
    return cleaned


def changed_config(server: Server, recipe: Recipe, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The server's config with these changes; options that the recipe no longer has are left behind."""
    known = {option.name for option in recipe.options}
    return {**{name: value for name, value in server.config.items() if name in known}, **changes}


def checked_plan(server: Server, recipe: Recipe) -> Plan:
    """What only a server with its device shows to be wrong, such as an address that cannot be found."""
    try:
        return server_plan(server, recipe)
    except ConfigInvalid as invalid:
        raise ValidationError({f"config.{option}": message for option, message in invalid.errors.items()}) from None


def generated_secrets(recipe: Recipe) -> dict[str, str]:
    return {s.name: "".join(secrets.choice(ALPHABET) for _ in range(s.length)) for s in recipe.secrets}


def known_secrets(recipe: Recipe, server: Server, config: Mapping[str, Any]) -> dict[str, str]:
    """The server's secrets, complete; one that takes over from its primary has the primary's from then on."""
    return {**generated_secrets(recipe), **(server.secrets or {}), **inherited_secrets(server, config)}


def one_at_a_time() -> None:
    """Two that ask at once must not both find the same name free, or the same device."""
    list(Device.objects.select_for_update().order_by("pk").values_list("pk", flat=True))


def check_idle(server: Server) -> None:
    """Raises `ValidationError` naming `name` while a run changes the server."""
    active = Run.objects.active().filter(subject_id=server.pk, kind__in=(PROVISION, DECOMMISSION)).first()
    if active:
        doing = "taken down" if active.kind == DECOMMISSION else "provisioned"
        raise ValidationError({"name": f"{server.name} is being {doing} right now. Wait for it, or cancel that run."})


def check_obstacle(server: Server, recipe: Recipe, config: Mapping[str, Any]) -> None:
    """The new config may want a component that another server on the device has meanwhile."""
    others = [other for other in server.device.servers.all() if other.pk != server.pk]
    wanted = {component.name for component in recipe.selected(config)}
    if obstacle := selectors.obstacle(others, wanted):
        raise ValidationError({"device": f"{server.device.name} is not suitable: {obstacle}."})
