"""Provisioning servers: new ones, and those there are again, with other options or the same."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from forgelab.accounts.actors import Actor
from forgelab.devices.models import Device
from forgelab.recipes.model import Recipe
from forgelab.runs.models import Run
from forgelab.runs.services import run_create
from forgelab.servers import succession
from forgelab.servers.kinds import PROVISION
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking
from forgelab.servers.provisioning import checks
from forgelab.servers.provisioning.plans import PROMISED
from forgelab.servers.removal.cleanup import surplus, with_removal
from forgelab.servers.removal.safety import check_databases
from forgelab.servers.spec.links import check_links


def server_provision(
    *,
    server_type: str,
    name: str,
    device: Device | None,
    config: dict[str, Any],
    actor: Actor,
    confirm: str = "",
    without_backup: str = "",
    purge: bool = False,
    environment: str = "",
) -> Run:
    """Provision a server, or provision it again with this config; without a device, on the best one.

    A component that the new config has no more is taken away: its services are stopped and ForgeLab's configuration of
    it is removed; packages and data stay unless `purge`. A database goes only when `confirm` is the server's name and
    there is a verified backup, or `without_backup` is the sentence that says so.

    Without `environment` a new server is in the one that its name ends with, else in production; one that is there
    stays where it is. What the server needs at least is promised to it on its device until it is taken down.

    Raises `ValidationError` whose dictionary names `server_type`, `name`, `device`, `environment`, `confirm`,
    `without_backup` or `config.<option>`; nothing is stored then.
    """
    recipe = checks.find_recipe(server_type)
    checks.check_environment(environment)
    config = checks.clean_config(recipe, name, config)
    with transaction.atomic():
        checks.one_at_a_time()
        check_links(name=name, recipe=recipe, config=config)
        server = Server.objects.select_for_update(of=("self",)).select_related("device").filter(name=name).first()
        if server is None:
            server = _new(recipe, name, device, config, environment or ranking.environment_of(name))
        else:
            _check_same(server, server_type, device)
            checks.check_obstacle(server, recipe, config)
            checks.hold_promise(server, recipe, config)
            server.environment = environment or server.environment
        base = server.config
        succession.check_replaced(server, config, confirm=confirm, without_backup=without_backup)
        config = succession.opened_for(server, config)
        server.secrets = checks.known_secrets(recipe, server, config)
        server.config = config
        plan = checks.checked_plan(server, recipe)
        gone = surplus(server, plan)
        request = {"config": config, "base": base, "gone": gone}
        checks.check_neighbours_at_rest(server, PROVISION, request)
        check_databases(server, gone, confirm=confirm, without_backup=without_backup)
        server.status = Server.Status.PROVISIONING
        server.save()
        return run_create(
            plan=with_removal(plan, server, purge=purge),
            kind=PROVISION,
            device=server.device,
            subject=server,
            actor=actor,
            request=request,
        )


def server_change(*, server: Server, changes: dict[str, Any], actor: Actor, **more: Any) -> Run:
    """Provision the server with these options changed and all others as they are; `more` as for `server_provision`.

    Raises `ValidationError` as that does.
    """
    recipe = checks.find_recipe(server.server_type)
    return server_provision(
        server_type=server.server_type,
        name=server.name,
        device=server.device,
        config=checks.changed_config(server, recipe, changes),
        actor=actor,
        **more,
    )


def _new(recipe: Recipe, name: str, device: Device | None, config: dict[str, Any], environment: str) -> Server:
    scores = ranking.placement_rank(recipe=recipe, config=config, name=name, environment=environment)
    by_name = {score.name: score for score in scores}
    best = next(iter(by_name.values()), None)
    if best is None:
        raise ValidationError({"device": "There is no device yet. Add one first: forgelab device add NAME ADDRESS"})
    chosen = by_name[device.name] if device else best
    if not chosen.fits:
        reasons = "; ".join(chosen.refusals)
        message = f"{chosen.name} is not suitable: {reasons}." if device else _none_fits(by_name)
        raise ValidationError({"device": message})
    device, automatic = device or Device.objects.get(name=chosen.name), device is None
    return Server(
        name=name,
        server_type=recipe.id,
        device=device,
        environment=environment,
        **ranking.promise(recipe, config),
        placement={"points": chosen.points, "reasons": list(chosen.reasons), "automatic": automatic}
        | {PROMISED: sum(other.memory_mb for other in device.servers.all())},
    )


def _none_fits(scores: dict[str, Any]) -> str:
    return "No device is suitable: " + " ".join(f"{s.name}: {'; '.join(s.refusals)}." for s in scores.values())


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
