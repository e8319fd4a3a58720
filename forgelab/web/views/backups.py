"""Backups on a server's page: make one, ask the device which it has, restore one."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from forgelab.accounts.actors import from_request
from forgelab.databases import backups
from forgelab.devices.ssh import DeviceUnreachable
from forgelab.web.errors import add_errors, flash
from forgelab.web.permissions import needs
from forgelab.web.server_page import restore_form, server_page
from forgelab.web.shortcuts import server_or_404


@needs("backup.create")
@require_POST
def create(request: HttpRequest, name: str) -> HttpResponse:
    try:
        run = backups.backup_create(server=server_or_404(name), actor=from_request(request))
    except ValidationError as error:
        flash(request, error)
        return _section(name)
    return redirect("run_detail", run.pk)


@needs("backup.refresh")
@require_POST
def refresh(request: HttpRequest, name: str) -> HttpResponse:
    """Ask the device which backups it has."""
    try:
        backups.backup_refresh(server=server_or_404(name), actor=from_request(request))
    except (ValidationError, DeviceUnreachable) as error:
        flash(request, error)
    return _section(name)


@needs("backup.restore")
@require_POST
@never_cache
def restore(request: HttpRequest, name: str) -> HttpResponse:
    server = server_or_404(name)
    form = restore_form(server, request.POST)
    if form.is_valid():
        typed = form.chosen | {"confirm": form.cleaned_data["confirm"]}
        try:
            run = backups.backup_restore(server=server, actor=from_request(request), **typed)
        except ValidationError as error:
            add_errors(error, form, aliases={"database": "backup", "at": "backup", "engine": "backup"})
        else:
            return redirect("run_detail", run.pk)
    return server_page(request, server, restore=form)


def _section(name: str) -> HttpResponse:
    return redirect(f"{reverse('server_detail', args=[name])}#backups")
