"""Backups on a server's page: make one, look at what there is, restore."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from forgelab.accounts.actors import from_request
from forgelab.devices.ssh import DeviceUnreachable
from forgelab.servers import backups
from forgelab.servers.backup_listing import Backup
from forgelab.servers.models import Server

SHOWN = 20  # backups; the others are behind "All backups"


def context(server: Server) -> dict[str, Any]:
    """What the page shows of a server's backups; nothing where there are none by design."""
    if not backups.has_backups(server):
        return {}
    known, read_at = backups.backups_known(server)
    sound = [backup for backup in known.backups if backup.verified and backup.is_database]
    return {
        "backups": {
            "newest": known.backups[:SHOWN],
            "older": known.backups[SHOWN:],
            "last": known.complete,
            "timer": known.timer or {},
            "read_at": read_at,
            "choices": [(choice_value(backup), backup) for backup in sound],
        }
    }


def choice_value(backup: Backup) -> str:
    """A backup as the value of a form's choice; a database's name may hold anything, so it comes last."""
    return f"{backup.engine}/{backup.id}/{backup.database}"


@login_required
@require_POST
def create(request: HttpRequest, name: str) -> HttpResponse:
    server = _server(name)
    try:
        run = backups.backup_create(server=server, actor=from_request(request))
    except ValidationError as error:
        return _back(request, name, error)
    return redirect("run_detail", run.pk)


@login_required
@require_POST
def refresh(request: HttpRequest, name: str) -> HttpResponse:
    """Ask the device which backups it has."""
    try:
        backups.backups_refresh(server=_server(name))
    except (ValidationError, DeviceUnreachable) as error:
        return _back(request, name, error)
    return _page(name)


@login_required
@require_POST
def restore(request: HttpRequest, name: str) -> HttpResponse:
    server = _server(name)
    engine, _, rest = request.POST.get("backup", "").partition("/")
    at, _, database = rest.partition("/")
    try:
        run = backups.backup_restore(
            server=server, database=database, at=at, engine=engine, into=request.POST.get("into", ""),
            confirm=request.POST.get("confirm", "").strip(), actor=from_request(request),
        )  # fmt: skip
    except ValidationError as error:
        return _back(request, name, error)
    return redirect("run_detail", run.pk)


def _server(name: str) -> Server:
    return get_object_or_404(
        Server.objects.select_related("device__identity").prefetch_related("components"), name=name
    )


def _back(request: HttpRequest, name: str, error: ValidationError | DeviceUnreachable) -> HttpResponse:
    messages.error(request, " ".join(error.messages) if isinstance(error, ValidationError) else str(error))
    return _page(name)


def _page(name: str) -> HttpResponse:
    return redirect(f"{reverse('server_detail', args=[name])}#backups")
