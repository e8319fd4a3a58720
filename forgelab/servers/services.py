"""Provisioning servers: new ones, and those there are again, with other options or the same."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from forgelab.devices.models import Device
from forgelab.recipes.model import Recipe
from forgelab.runs.models import Run
from forgelab.runs.services import run_create
from forgelab.servers import checks, selectors, succession
from forgelab.servers.checks import PROVISION
from forgelab.servers.links import check_links
from forgelab.servers.models import Server
from forgelab.servers.removal import surplus, with_removal
from forgelab.servers.safety import check_databases


def server_provision(
    *,
    server_type: str,
    name: str,
    device: Device | None,
    config: dict[str, Any],
    requested_by: Any = None,
    confirm: str = "",
    without_backup: str = "",
    purge: bool = False,
) -> Run:
    """Provision a server, or provision it again with this config; without a device, on the best one.

    A component that the new config has no more is taken away: its services are stopped and ForgeLab's configuration of
    it is removed; packages and data stay unless `purge`. A database goes only when `confirm` is the server's name and
    there is a verified backup, or `without_backup` is the sentence that says so.

    Raises `ValidationError` whose dictionary names `server_type`, `name`, `device`, `confirm`, `without_backup` or
    `config.<option>`; nothing is stored then.
    """
    recipe = checks.find_recipe(server_type)
    config = checks.clean_config(recipe, name, config)
    with transaction.atomic():
        checks.one_at_a_time()
        check_links(name=name, recipe=recipe, config=config)
        server = Server.objects.select_for_update(of=("self",)).select_related("device").filter(name=name).first()
        if server is None:
            server = _new(recipe, name, device)
        else:
            _check_same(server, server_type, device)
            checks.check_obstacle(server, recipe, config)
        base = server.config
        succession.check_replaced(server, config, confirm=confirm, without_backup=without_backup)
        config = succession.opened_for(server, config)
        server.secrets = checks.known_secrets(recipe, server, config)
        server.config = config
        plan = checks.checked_plan(server, recipe)
        gone = surplus(server, plan)
        check_databases(server, gone, confirm=confirm, without_backup=without_backup)
        server.status = Server.Status.PROVISIONING
        server.save()
        return run_create(
            plan=with_removal(plan, server, purge=purge),
            kind=PROVISION,
            device=server.device,
            subject_id=server.pk,
            requested_by=requested_by,
            request={"config": config, "base": base, "gone": gone},
        )


def server_change(*, server: Server, changes: dict[str, Any], **more: Any) -> Run:
    """Provision the server with these options changed and all others as they are; `more` as for `server_provision`.

    Raises `ValidationError` as that does.
    """
    recipe = checks.find_recipe(server.server_type)
    return server_provision(
        server_type=server.server_type,
        name=server.name,
        device=server.device,
        config=checks.changed_config(server, recipe, changes),
        **more,
    )


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
    checks.check_idle(server)
