"""Decommissioning a server by its typed name; or forgetting it where its device is gone."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from forgelab.accounts.actors import from_request
from forgelab.servers import extensions
from forgelab.servers.models import Server
from forgelab.servers.removal import decommission as services
from forgelab.web.errors import UNPROCESSABLE, add_errors
from forgelab.web.forms.servers import ConfirmationForm, ForgetForm
from forgelab.web.permissions import needs
from forgelab.web.shortcuts import posted, server_or_404


@needs("server.decommission")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def decommission(request: HttpRequest, name: str) -> HttpResponse:
    server = server_or_404(name)
    form = _decommission_form(server, posted(request))
    if form.is_valid():
        try:
            run = services.server_decommission(server=server, actor=from_request(request), **form.cleaned_data)
        except ValidationError as error:
            add_errors(error, form)
        else:
            return redirect("run_detail", run.pk)
    return _show(request, server, form, _forget_form(server))


@needs("server.forget")
@require_POST
@never_cache
def forget(request: HttpRequest, name: str) -> HttpResponse:
    server = server_or_404(name)
    form = _forget_form(server, request.POST)
    if form.is_valid():
        try:
            services.server_forget(server=server, actor=from_request(request), **form.cleaned_data)
        except ValidationError as error:
            add_errors(error, form)
        else:
            messages.success(request, f"{server.name} is forgotten. Nothing on {server.device.name} was touched.")
            return redirect("server_list")
    return _show(request, server, _decommission_form(server), form)


def _decommission_form(server: Server, data: object = None) -> ConfirmationForm:
    has_database = bool(extensions.data_lost({}, server.managed))
    return ConfirmationForm(data, server=server, database=has_database)


def _forget_form(server: Server, data: object = None) -> ForgetForm:
    return ForgetForm(data, server=server, auto_id="forget-%s")


def _show(request: HttpRequest, server: Server, form: ConfirmationForm, forget: ForgetForm) -> HttpResponse:
    context = {"server": server, "form": form, "forget": forget}
    status = UNPROCESSABLE if form.errors or forget.errors else 200
    return render(request, "web/servers/decommission.html", context, status=status)
