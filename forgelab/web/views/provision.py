"""The provisioning wizard: type, options, device. What was chosen travels in the address, so that Back works."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from forgelab.accounts.actors import from_request
from forgelab.devices.models import Device
from forgelab.recipes.forms import RecipeForm
from forgelab.recipes.model import Recipe
from forgelab.runs.models import Run
from forgelab.servers import selectors
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.web import device_ranking
from forgelab.web.forms import NameForm, options_form

UNPROCESSABLE = 422
Forms = tuple[NameForm, RecipeForm]


@login_required
@require_GET
def types(request: HttpRequest) -> HttpResponse:
    """Step 1: which server type."""
    catalog = selectors.recipe_catalog()
    folder = settings.RECIPES_DIR if request.user.is_staff else None
    context = {"recipes": catalog.recipes.values(), "reports": catalog.reports(), "folder": folder}
    return render(request, "web/provision/types.html", context)


@login_required
@require_GET
def configure(request: HttpRequest, server_type: str) -> HttpResponse:
    """Step 2: its name and options. Coming back from step 3, everything is filled in as it was."""
    recipe = _recipe(server_type)
    if "name" in request.GET:
        return _show_forms(request, recipe, _forms(request, recipe))
    server = Server.objects.filter(name=request.GET.get("server", ""), server_type=recipe.id).first()
    name = server.name if server else f"{recipe.id.split('-')[0]}-production"
    environment = server.environment if server else Server.Environment.PRODUCTION
    names = NameForm(initial={"name": name, "server_environment": environment})
    return _show_forms(request, recipe, (names, options_form(recipe)(initial=server.config if server else {})))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def device(request: HttpRequest, server_type: str) -> HttpResponse:
    """Step 3: the recommended device with its reasons, and the others. Its last button makes the run."""
    recipe = _recipe(server_type)
    names, options = forms = _forms(request, recipe)
    if not (names.is_valid() and options.is_valid()):
        return redirect(_address(request, "server_provision_configure", recipe))
    if request.method == "POST":
        return _start(request, recipe, forms)
    return _show_devices(request, recipe, forms)


def _recipe(server_type: str) -> Recipe:
    recipe = selectors.recipe_catalog().recipes.get(server_type)
    if recipe is None:
        raise Http404(f"There is no server type {server_type}.")
    return recipe


def _forms(request: HttpRequest, recipe: Recipe) -> Forms:
    return NameForm(request.GET), options_form(recipe)(request.GET)


def _address(request: HttpRequest, view: str, recipe: Recipe) -> str:
    """The view's address with everything chosen so far."""
    chosen = request.GET.copy()
    chosen.pop("analyzed", None)
    return f"{reverse(view, args=[recipe.id])}?{chosen.urlencode()}"


def _show_forms(request: HttpRequest, recipe: Recipe, forms: Forms) -> HttpResponse:
    wrong = any(form.is_bound and not form.is_valid() for form in forms)
    context = {"recipe": recipe, "names": forms[0], "options": forms[1], "wrong": wrong}
    return render(request, "web/provision/configure.html", context, status=UNPROCESSABLE if wrong else 200)


def _show_devices(request: HttpRequest, recipe: Recipe, forms: Forms, errors: tuple[str, ...] = ()) -> HttpResponse:
    names, options = forms
    name = names.data.get("name", "")
    context: dict[str, Any] = {
        "recipe": recipe,
        "name": name,
        "errors": errors,
        "here": _address(request, "server_provision_device", recipe),
        "back": _address(request, "server_provision_configure", recipe),
        "there": Server.objects.filter(name=name).select_related("device").defer("secrets").first(),
    }
    stale = [] if errors or context["there"] else device_ranking.stale_devices()
    if stale and "analyzed" not in request.GET:
        return render(request, "web/provision/device.html", context | {"analyzing": True})
    device_ranking.refresh_all(stale)
    environment = names.cleaned_data.get("server_environment", "")
    try:
        ranking = device_ranking.ranking(recipe, config=options.cleaned_data, name=name, environment=environment)
    except ValidationError as wrong:  # the file of weights has mistakes
        ranking, errors = [], (*errors, *wrong.messages)
        context["errors"] = errors
    fitting = [ranked for ranked in ranking if ranked.score.fits]
    context |= {"ranking": ranking, "best": fitting[0] if fitting else None}
    return render(request, "web/provision/device.html", context, status=UNPROCESSABLE if errors else 200)


def _start(request: HttpRequest, recipe: Recipe, forms: Forms) -> HttpResponse:
    """The last button: make the run and go to its live page. Pressed twice, both go to the same run."""
    name, wanted = forms[0].cleaned_data["name"], request.POST.get("device", "")
    chosen = Device.objects.filter(name=wanted).first()
    if chosen is None:
        sentence = f'There is no device "{wanted}" any more. Choose another one.' if wanted else "Choose a device."
        return _show_devices(request, recipe, forms, (sentence,))
    try:
        run = services.server_provision(
            server_type=recipe.id, name=name, device=chosen, config=forms[1].cleaned_data, actor=from_request(request),
            environment=forms[0].cleaned_data["server_environment"],
        )  # fmt: skip
    except (ValidationError, IntegrityError) as error:
        if running := _active_run(name, recipe, chosen):
            return redirect("run_detail", running.pk)
        if isinstance(error, IntegrityError):
            raise
        return _refused(request, recipe, forms, error)
    return redirect("run_detail", run.pk)


def _active_run(name: str, recipe: Recipe, device: Device) -> Run | None:
    server = Server.objects.filter(name=name, server_type=recipe.id, device=device).first()
    return Run.objects.active().filter(subject_id=server.pk).first() if server else None


def _refused(request: HttpRequest, recipe: Recipe, forms: Forms, error: ValidationError) -> HttpResponse:
    """Show the service's sentences where they belong: beside their field, or with the devices."""
    names, options = forms
    elsewhere: list[str] = []
    for field, sentences in error.message_dict.items():
        option = field.removeprefix("config.")
        if field == "name":
            names.add_error("name", sentences)
        elif option in options.fields:
            options.add_error(option, sentences)
        else:
            elsewhere += sentences
    if elsewhere:
        return _show_devices(request, recipe, forms, tuple(elsewhere))
    return _show_forms(request, recipe, forms)
