"""Decommissioning a server by its typed name; or forgetting it where its device is gone."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from forgelab.accounts.actors import from_request
from forgelab.servers.models import Server
from forgelab.servers.removal import decommission as services
from forgelab.servers.removal import safety
from forgelab.web.confirmation import confirmation, confirmation_context
from forgelab.web.host_keys import UNPROCESSABLE
from forgelab.web.starting import server_named


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def decommission(request: HttpRequest, name: str) -> HttpResponse:
    server = server_named(name)
    if request.method != "POST":
        return _show(request, server)
    try:
        run = services.server_decommission(server=server, actor=from_request(request), **confirmation(request))
    except ValidationError as error:
        return _show(request, server, error.messages)
    return redirect("run_detail", run.pk)


@login_required
@require_POST
@never_cache
def forget(request: HttpRequest, name: str) -> HttpResponse:
    server = server_named(name)
    try:
        services.server_forget(server=server, confirm=confirmation(request)["confirm"], actor=from_request(request))
    except ValidationError as error:
        return _show(request, server, error.messages)
    messages.success(request, f"{server.name} is forgotten. Nothing on {server.device.name} was touched.")
    return redirect("server_list")


def _show(request: HttpRequest, server: Server, errors: list[str] | None = None) -> HttpResponse:
    context = {"server": server, "errors": errors, **confirmation_context(request, server)}
    context["has_database"] = any(role in safety.DATABASES for role in server.managed)
    status = UNPROCESSABLE if errors else 200
    return render(request, "web/servers/decommission.html", context, status=status)
