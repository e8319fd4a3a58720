"""Provisioning servers: new ones, and existing ones, with other options, the same, or exactly as planned."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.servers.changes.change import change_for
from forgelab.servers.changes.checks import lock_devices
from forgelab.servers.changes.dry_run import check_shown, why_not_applicable
from forgelab.servers.extensions import Confirmation
from forgelab.servers.models import Server
from forgelab.servers.spec.requests import ServerRequest, changed


def server_provision(
    *,
    server_type: str,
    name: str,
    device: Device | None,
    config: Mapping[str, Any],
    actor: Actor,
    confirm: str = "",
    without_backup: str = "",
    purge: bool = False,
    environment: str = "",
) -> Run:
    """Provision a server, or reprovision it with this config; without a device, on the best one.

    A component that the new config does not bring in any more is removed: its services are stopped and ForgeLab's
    configuration of it is deleted; packages and data stay unless `purge`. Data are lost only when `confirm` is the
    server's name and there is a verified backup, or `without_backup` is the sentence that says so.

    Without `environment` a new server is in the one that its name ends with, else in production; an existing one stays
    where it is. What the server needs at least is reserved for it on its device until it is decommissioned.

    Raises `ValidationError` whose dictionary names `server_type`, `name`, `device`, `environment`, `confirm`,
    `without_backup` or `config.<option>`; nothing is stored then.
    """
    check(actor, "server.provision")
    request = ServerRequest(server_type, name, config, environment, device, purge)
    return _provision(request, Confirmation(confirm, without_backup), actor, "server.provision")


def server_change(
    *,
    server: Server,
    changes: Mapping[str, Any],
    actor: Actor,
    confirm: str = "",
    without_backup: str = "",
    purge: bool = False,
    environment: str = "",
) -> Run:
    """Reprovision the server with these options changed and all others as they are.

    Raises `ValidationError` as `server_provision` does.
    """
    check(actor, "server.change", server)
    request = changed(server, changes, environment=environment, purge=purge)
    return _provision(request, Confirmation(confirm, without_backup), actor, "server.change")


def server_apply(*, run: Run, actor: Actor, confirm: str = "", without_backup: str = "", purge: bool = False) -> Run:
    """Provision exactly what this plan has shown.

    Raises `ValidationError` naming `plan` when the run is no plan, has not succeeded, or is no longer what would
    happen; else as `server_provision` does.
    """
    check(actor, "server.apply", run)
    with transaction.atomic():
        lock_devices()
        server = Server.objects.select_related("device").filter(pk=run.subject_id).first()  # fresh, under the lock
        if why := why_not_applicable(run, server):
            raise ValidationError({"plan": why})
        assert server  # noqa: S101 - for mypy: a plan without a server is not applicable
        request = ServerRequest(server.server_type, server.name, run.request["config"], device=server.device)
        check_shown(run, change_for(request))
        request = dataclasses.replace(request, purge=purge)  # which no plan shows: it is asked when it is applied
        return _provision(request, Confirmation(confirm, without_backup), actor, "server.apply")


@transaction.atomic
def _provision(request: ServerRequest, confirmation: Confirmation, actor: Actor, action: str) -> Run:
    change = change_for(request)
    change.check_applicable(confirmation)
    return change.apply(actor, action)
