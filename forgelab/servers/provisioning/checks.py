"""What must hold before a server is provisioned, looked at or taken down. Refusals are sentences by field."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from forgelab.devices.models import Device
from forgelab.devices.placement import gb
from forgelab.lib import names
from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.model import Recipe
from forgelab.runs.conflicts import conflicting_run
from forgelab.runs.kinds import RunKind
from forgelab.runs.plan import Plan
from forgelab.servers import selectors
from forgelab.servers.colocation.obstacles import obstacle
from forgelab.servers.kinds import PROVISION
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking
from forgelab.servers.provisioning.plans import server_plan
from forgelab.servers.succession import inherited_secrets

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
    if active := conflicting_run(PROVISION, subject=server):
        doing = active.get_kind().doing
        raise ValidationError({"name": f"{server.name} is being {doing} right now. Wait for it, or cancel that run."})


def check_obstacle(server: Server, recipe: Recipe, config: Mapping[str, Any]) -> None:
    """The new config may want what another server on the device has otherwise."""
    if said := obstacle(list(server.device.servers.all()), recipe, config, server=server):
        raise ValidationError({"device": f"{server.device.name} is not suitable: {said}."})


def check_environment(environment: str) -> None:
    """Raises `ValidationError` naming `environment` for one that there is not; empty is none chosen."""
    known = Server.Environment.values
    if environment and environment not in known:
        raise ValidationError({"environment": f'"{environment[:40]}" is not one of {", ".join(known)}.'})


def hold_promise(server: Server, recipe: Recipe, config: Mapping[str, Any]) -> None:
    """Other options may need more of the device: promise the server that, too. Less than before is promised only once
    the server runs so. Raises `ValidationError` as `check_promise`.
    """
    check_promise(server, recipe, config)
    for field, mb in ranking.promise(recipe, config).items():
        setattr(server, field, max(mb, getattr(server, field)))


def check_promise(server: Server, recipe: Recipe, config: Mapping[str, Any]) -> None:
    """Raises `ValidationError` naming `device` where that has not what these options need more than the server has."""
    wanted, there = ranking.promise(recipe, config), ranking.candidate(server.device)
    left = {"memory_mb": ("RAM", there.memory_free_mb), "storage_mb": ("storage", there.disk_left_mb)}
    for field, (what, free) in left.items():
        more = wanted[field] - getattr(server, field)
        if more > free and getattr(server, field):
            raise ValidationError(
                {
                    "device": f"{server.device.name} has {gb(free)} {what} left, and with these options {server.name} "
                    f"needs {gb(more)} more than it has now."
                }
            )


def check_neighbours_at_rest(server: Server, kind: RunKind, request: Mapping[str, Any]) -> None:
    """What is taken away must not be what a run that has not ended is setting up for another server on the device.

    Raises `ValidationError` naming `device`.
    """
    if run := conflicting_run(kind, subject=server, device=server.device, request=request):
        raise ValidationError(
            {
                "device": f'"{run.title}" is not done yet on {server.device.name}, and one of the two takes away '
                "what the other may need. Wait for it, or cancel that run."
            }
        )
