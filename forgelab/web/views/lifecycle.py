"""A server that is there: its options changed, its plan shown and applied, its device compared, taken down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from forgelab.accounts.actors import from_request
from forgelab.recipes.forms import RecipeForm
from forgelab.runs.models import Run
from forgelab.servers import checks, decommission, drift, proposals, reports, safety, selectors, services
from forgelab.servers.models import Server
from forgelab.web.forms import options_form

UNPROCESSABLE = 422


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def options(request: HttpRequest, name: str) -> HttpResponse:
    """The server's options, to be changed: shown what that would do, or applied at once."""
    server = _server(name)
    recipe = selectors.recipe_catalog().recipes.get(server.server_type)
    if recipe is None:
        raise Http404(f"The recipe {server.server_type} is gone.")
    form = options_form(recipe)(request.POST or None, initial=server.config)
    said: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("run", _asked(request, server, form.cleaned_data).pk)
        except ValidationError as error:
            said = _tell(form, error)
    context = {"server": server, "recipe": recipe, "options": form, "said": said, "wrong": form.errors or said}
    wrong = UNPROCESSABLE if context["wrong"] else 200
    return render(request, "web/server_options.html", context | _confirming(request, server), status=wrong)


def _asked(request: HttpRequest, server: Server, config: dict[str, Any]) -> Run:
    if "apply" in request.POST:
        return services.server_change(
            server=server, changes=config, actor=from_request(request), **_confirmation(request)
        )
    return proposals.server_check(server=server, changes=config, actor=from_request(request))


def _confirmation(request: HttpRequest) -> dict[str, Any]:
    return {
        "confirm": request.POST.get("confirm", "").strip(),
        "without_backup": request.POST.get("without_backup", "").strip(),
        "purge": "purge" in request.POST,
    }


def _confirming(request: HttpRequest, server: Server) -> dict[str, Any]:
    """What the part of a form needs that asks for the typed name."""
    return {
        "typed": _confirmation(request),
        "without_backup_sentence": safety.without_backup_sentence(server),
        "has_backup": safety.has_fresh_backup(server),
        "confirming": "confirm" in request.POST,
    }


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
def repair(request: HttpRequest, name: str) -> HttpResponse:
    """Provision again with the options as they are."""
    by = from_request(request)
    return _start(request, name, lambda server: services.server_change(server=server, changes={}, actor=by))


@login_required
@require_POST
def compare(request: HttpRequest, name: str) -> HttpResponse:
    """Look whether the device is still as planned."""
    return _start(request, name, lambda server: proposals.server_check(server=server, actor=from_request(request)))


def _start(request: HttpRequest, name: str, ask: Any) -> HttpResponse:
    try:
        return redirect("run", ask(_server(name)).pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("server", name)


@login_required
@require_POST
def watch(request: HttpRequest, name: str) -> HttpResponse:
    server = drift.server_watch(
        server=_server(name), watch=request.POST.get("watch") == "on", actor=from_request(request)
    )
    how = "every day" if server.drift_watch else "only when you ask"
    messages.success(request, f"{name} is compared with its plan {how} from now on.")
    return redirect("server", name)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def plan(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """What a plan found, and the button that does exactly that."""
    run = get_object_or_404(Run.objects.select_related("device").defer("plan"), pk=run_id, kind=checks.PLAN)
    if run.is_active:
        return redirect("run", run.pk)
    server = Server.objects.filter(pk=run.subject_id).select_related("device").first()
    said: list[str] = []
    if request.method == "POST":
        try:
            return redirect(
                "run", proposals.server_apply(run=run, actor=from_request(request), **_confirmation(request)).pk
            )
        except ValidationError as error:
            said = error.messages
    context: dict[str, Any] = {"run": run, "server": server, "result": reports.plan_result(run=run), "said": said}
    if server:
        context |= _confirming(request, server)
    return render(request, "web/plan.html", context, status=UNPROCESSABLE if said else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def take_down(request: HttpRequest, name: str) -> HttpResponse:
    """Take the server down by its typed name; or forget it where its device is gone."""
    server = _server(name)
    said: list[str] = []
    if request.method == "POST":
        try:
            return _taken_down(request, server)
        except ValidationError as error:
            said = error.messages
    context = {"server": server, "said": said, **_confirming(request, server)}
    context["has_database"] = any(role in safety.DATABASES for role in server.managed)
    return render(request, "web/server_decommission.html", context, status=UNPROCESSABLE if said else 200)


def _taken_down(request: HttpRequest, server: Server) -> HttpResponse:
    typed = _confirmation(request)
    if "forget" in request.POST:
        decommission.server_forget(server=server, confirm=typed["confirm"], actor=from_request(request))
        messages.success(request, f"{server.name} is forgotten. Nothing on {server.device.name} was touched.")
        return redirect("servers")
    run = decommission.server_decommission(server=server, actor=from_request(request), **typed)
    return redirect("run", run.pk)


def _server(name: str) -> Server:
    return get_object_or_404(Server.objects.select_related("device").prefetch_related("components"), name=name)
