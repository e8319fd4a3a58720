"""Provisioning servers, and taking in what a run learned of them."""

from __future__ import annotations

import secrets
import string
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from forgelab.devices.models import Device
from forgelab.lib import names
from forgelab.recipes.model import Recipe
from forgelab.recipes.problems import ConfigInvalid
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.runs.services import run_create
from forgelab.servers import selectors
from forgelab.servers.links import check_links
from forgelab.servers.models import Component, Server
from forgelab.servers.plans import server_plan

PROVISION = "server.provision"
ALPHABET = string.ascii_letters + string.digits  # no character that any configuration file or URL treats specially


def server_provision(
    *, server_type: str, name: str, device: Device | None, config: dict[str, Any], requested_by: Any = None
) -> Run:
    """Provision a server, or provision it again with this config; without a device, on the best one.

    Raises `ValidationError` whose dictionary names `server_type`, `name`, `device` or `config.<option>`; nothing is
    stored then.
    """
    recipe = _recipe(server_type)
    config = _clean(recipe, name, config)
    with transaction.atomic():
        _one_at_a_time()
        check_links(name=name, recipe=recipe, config=config)
        server = Server.objects.select_for_update(of=("self",)).select_related("device").filter(name=name).first()
        if server is None:
            server = _new(recipe, name, device)
        else:
            _check_same(server, server_type, device)
            _check_obstacle(server, recipe, config)
        server.config = config
        server.secrets = {**_generated(recipe), **(server.secrets or {})}
        server.status = Server.Status.PROVISIONING
        server.save()
        return run_create(
            plan=_plan(server, recipe),
            kind=PROVISION,
            device=server.device,
            subject_id=server.pk,
            requested_by=requested_by,
        )


def _plan(server: Server, recipe: Recipe) -> Plan:
    """What only a server with its device shows to be wrong, such as an address that cannot be found."""
    try:
        return server_plan(server, recipe)
    except ConfigInvalid as invalid:
        raise ValidationError({f"config.{option}": message for option, message in invalid.errors.items()}) from None


def _one_at_a_time() -> None:
    """Two that ask at once must not both find the same name free, or the same device."""
    list(Device.objects.select_for_update().order_by("pk").values_list("pk", flat=True))


def _recipe(server_type: str) -> Recipe:
    catalog = selectors.recipe_catalog()
    try:
        return catalog.get(server_type)
    except KeyError as error:
        raise ValidationError({"server_type": str(error.args[0])}) from None


def _clean(recipe: Recipe, name: str, config: dict[str, Any]) -> dict[str, Any]:
    errors: dict[str, str] = {}
    if problem := names.slug_problem(name):
        errors["name"] = f'"{name}" is not a valid server name: {problem}.'
    try:
        config = recipe.clean(config)
    except ConfigInvalid as invalid:
        errors |= {f"config.{option}": message for option, message in invalid.errors.items()}
    if errors:
        raise ValidationError(errors)
    return config


def _new(recipe: Recipe, name: str, device: Device | None) -> Server:
    ranking = {score.name: score for score in selectors.placement_rank(recipe=recipe)}
    best = next(iter(ranking.values()), None)
    if best is None:
        raise ValidationError({"device": "There is no device yet. Add one first: forgelab device add NAME ADDRESS"})
    chosen = ranking[device.name] if device else best
    if not chosen.fits:
        reasons = "; ".join(chosen.refusals)
        message = f"{chosen.name} is not suitable: {reasons}." if device else _none_fits(ranking)
        raise ValidationError({"device": message})
    return Server(
        name=name,
        server_type=recipe.id,
        device=device or Device.objects.get(name=chosen.name),
        memory_mb=recipe.requirements.memory_mb.minimum,
        placement={"points": chosen.points, "reasons": list(chosen.reasons), "automatic": device is None},
    )


def _none_fits(ranking: dict[str, Any]) -> str:
    return "No device is suitable: " + " ".join(f"{s.name}: {'; '.join(s.refusals)}." for s in ranking.values())


def _check_same(server: Server, server_type: str, device: Device | None) -> None:
    """Provisioning again must not turn a server into another one, nor forget where it is."""
    errors = {}
    if server.server_type != server_type:
        errors["name"] = f"{server.name} exists already, of type {server.server_type}. Choose another name."
    if device and server.device_id != device.pk:
        errors["device"] = (
            f"{server.name} is on {server.device.name}. Provision it there again, or choose another name for a new "
            f"server on {device.name}."
        )
    if errors:
        raise ValidationError(errors)
    if Run.objects.active().filter(subject_id=server.pk).exists():
        raise ValidationError(
            {"name": f"{server.name} is being provisioned right now. Wait for it, or cancel that run."}
        )


def _check_obstacle(server: Server, recipe: Recipe, config: dict[str, Any]) -> None:
    """The new config may want a component that another server on the device has meanwhile."""
    others = [other for other in server.device.servers.all() if other.pk != server.pk]
    wanted = {component.name for component in recipe.selected(config)}
    if obstacle := selectors.obstacle(others, wanted):
        raise ValidationError({"device": f"{server.device.name} is not suitable: {obstacle}."})


def _generated(recipe: Recipe) -> dict[str, str]:
    return {s.name: "".join(secrets.choice(ALPHABET) for _ in range(s.length)) for s in recipe.secrets}


def server_provisioned(run: Run) -> None:
    """A provisioning run has ended: take its outcome into the server. Called inside the closing transaction."""
    server = Server.objects.filter(pk=run.subject_id).first()
    if server is None:
        return
    succeeded = run.status == Run.Status.SUCCEEDED
    server.status = Server.Status.ACTIVE if succeeded else Server.Status.FAILED
    if Run.objects.active().filter(subject_id=server.pk).exists():  # lost, and queued again
        server.status = Server.Status.PROVISIONING
    if succeeded:
        server.provisioned_at = timezone.now()
        _record_components(server, run.outcome.get("versions") or [])
    server.save(update_fields=["status", "provisioned_at"])


def _record_components(server: Server, versions: list[dict[str, Any]]) -> None:
    """What the versions role found. It comes from the device, so a line that is none is passed over."""
    found = {str(line["name"]): line for line in versions if isinstance(line, dict) and line.get("name")}
    server.components.all().delete()
    Component.objects.bulk_create(
        Component(
            server=server,
            name=name[:64],
            title=str(line.get("title") or name)[:64],
            version=str(line.get("version") or "")[:64],
            position=position,
        )
        for position, (name, line) in enumerate(found.items())
    )
