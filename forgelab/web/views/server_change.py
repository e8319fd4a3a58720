"""A server's options changed: what that would do is shown first, or it is applied at once; and reprovisioning."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from forgelab.accounts.actors import from_request
from forgelab.runs.models import Run
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.changes import dry_run
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.web.errors import UNPROCESSABLE, add_errors
from forgelab.web.forms.options import options_form
from forgelab.web.forms.servers import ConfirmationForm
from forgelab.web.permissions import needs
from forgelab.web.shortcuts import posted, server_or_404, start_run


@needs("server.change")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def change(request: HttpRequest, name: str) -> HttpResponse:
    """The server's options as a form. One button shows the plan, the other applies at once."""
    server = server_or_404(name)
    recipe = recipe_catalog().recipes.get(server.server_type)
    if recipe is None:
        raise Http404(f"The recipe {server.server_type} is gone.")
    options = options_form(recipe)(posted(request), initial=server.config)
    sure = ConfirmationForm(posted(request), server=server)
    if options.is_valid() and sure.is_valid():
        try:
            return redirect("run_detail", _run(request, server, options.cleaned_data, sure.cleaned_data).pk)
        except ValidationError as error:
            add_errors(error, options, sure)
    wrong = bool(options.errors or sure.errors)
    context = {"server": server, "recipe": recipe, "options": options, "sure": sure, "wrong": wrong}
    return render(request, "web/servers/change.html", context, status=UNPROCESSABLE if wrong else 200)


def _run(request: HttpRequest, server: Server, config: dict[str, Any], sure: dict[str, Any]) -> Run:
    actor = from_request(request)
    if "apply" in request.POST:
        return services.server_change(server=server, changes=config, actor=actor, **sure)
    return dry_run.server_plan(server=server, changes=config, actor=actor)


@needs("server.change")
@require_POST
def reprovision(request: HttpRequest, name: str) -> HttpResponse:
    """Provision again with the options as they are."""
    actor = from_request(request)
    return start_run(request, name, lambda server: services.server_change(server=server, changes={}, actor=actor))
