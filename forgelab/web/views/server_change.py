"""A server's options changed: what that would do is shown first, or it is applied at once; and reprovisioning."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from forgelab.accounts.actors import from_request
from forgelab.recipes.forms import RecipeForm
from forgelab.runs.models import Run
from forgelab.servers import selectors
from forgelab.servers.changes import dry_run
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.web.confirmation import confirmation, confirmation_context
from forgelab.web.forms import options_form
from forgelab.web.host_keys import UNPROCESSABLE
from forgelab.web.starting import server_named, start_run


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def change(request: HttpRequest, name: str) -> HttpResponse:
    """The server's options as a form. One button shows the plan, the other applies at once."""
    server = server_named(name)
    recipe = selectors.recipe_catalog().recipes.get(server.server_type)
    if recipe is None:
        raise Http404(f"The recipe {server.server_type} is gone.")
    form = options_form(recipe)(request.POST or None, initial=server.config)
    said: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("run_detail", _asked(request, server, form.cleaned_data).pk)
        except ValidationError as error:
            said = _tell(form, error)
    context = {"server": server, "recipe": recipe, "options": form, "said": said, "wrong": form.errors or said}
    wrong = UNPROCESSABLE if context["wrong"] else 200
    return render(request, "web/servers/change.html", context | confirmation_context(request, server), status=wrong)


def _asked(request: HttpRequest, server: Server, config: dict[str, Any]) -> Run:
    if "apply" in request.POST:
        return services.server_change(
            server=server, changes=config, actor=from_request(request), **confirmation(request)
        )
    return dry_run.server_check(server=server, changes=config, actor=from_request(request))


def _tell(form: RecipeForm, error: ValidationError) -> list[str]:
    """Put the service's sentences beside their options; the others are returned."""
    elsewhere: list[str] = []
    for field, sentences in getattr(error, "message_dict", {"": error.messages}).items():
        option = field.removeprefix("config.")
        if option in form.fields:
            form.add_error(option, sentences)
        else:
            elsewhere += sentences
    return elsewhere


@login_required
@require_POST
def reprovision(request: HttpRequest, name: str) -> HttpResponse:
    """Provision again with the options as they are."""
    by = from_request(request)
    return start_run(request, name, lambda server: services.server_change(server=server, changes={}, actor=by))
