"""The provisioning wizard's third step: the device, recommended or chosen. Its button starts the run."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from forgelab.accounts.actors import from_request
from forgelab.devices.models import Device
from forgelab.recipes.model import Recipe
from forgelab.runs.conflicts import conflicting_run
from forgelab.runs.models import Run
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.web import device_ranking
from forgelab.web.errors import UNPROCESSABLE, add_errors, error_messages
from forgelab.web.permissions import needs
from forgelab.web.views.provision import Forms, chosen_forms, recipe_or_404, show_forms, step_url


@needs("server.provision")
@require_http_methods(["GET", "HEAD", "POST"])
def device(request: HttpRequest, server_type: str) -> HttpResponse:
    """Step 3: the recommended device with its reasons, and the others. Its last button makes the run."""
    recipe = recipe_or_404(server_type)
    names, options = forms = chosen_forms(request, recipe)
    if not (names.is_valid() and options.is_valid()):
        return redirect(step_url(request, "server_provision_configure", recipe))
    if request.method == "POST":
        return _start(request, recipe, forms)
    return _show_devices(request, recipe, forms)


def _show_devices(request: HttpRequest, recipe: Recipe, forms: Forms) -> HttpResponse:
    names, options = forms
    name = names.data.get("name", "")
    errors = list(names.non_field_errors())
    context: dict[str, Any] = {
        "recipe": recipe,
        "name": name,
        "errors": errors,
        "here": step_url(request, "server_provision_device", recipe),
        "back": step_url(request, "server_provision_configure", recipe),
        "existing": Server.objects.filter(name=name).select_related("device").defer("secrets").first(),
    }
    stale = [] if errors or context["existing"] else device_ranking.stale_devices()
    if stale and "analyzed" not in request.GET:
        return render(request, "web/provision/device.html", context | {"analyzing": True})
    device_ranking.refresh_all(stale)
    environment = names.cleaned_data.get("server_environment", "")
    try:
        ranking = device_ranking.ranking(recipe, config=options.cleaned_data, name=name, environment=environment)
    except ValidationError as wrong:  # the file of weights has mistakes
        ranking = []
        errors += error_messages(wrong)
    fitting = [ranked for ranked in ranking if ranked.score.fits]
    context |= {"ranking": ranking, "best": fitting[0] if fitting else None}
    return render(request, "web/provision/device.html", context, status=UNPROCESSABLE if errors else 200)


def _start(request: HttpRequest, recipe: Recipe, forms: Forms) -> HttpResponse:
    """The last button: make the run and go to its live page. Pressed twice, both go to the same run."""
    names, options = forms
    name, wanted = names.cleaned_data["name"], request.POST.get("device", "")
    chosen = Device.objects.filter(name=wanted).first()
    if chosen is None:
        gone = f'There is no device "{wanted}" any more. Choose another one.' if wanted else "Choose a device."
        names.add_error(None, gone)
        return _show_devices(request, recipe, forms)
    try:
        run = services.server_provision(
            server_type=recipe.id, name=name, device=chosen, config=options.cleaned_data, actor=from_request(request),
            environment=names.cleaned_data["server_environment"],
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
    return conflicting_run(subject=server)


def _refused(request: HttpRequest, recipe: Recipe, forms: Forms, error: ValidationError) -> HttpResponse:
    """Back to the options where the refusal is about one of them, else to the devices."""
    add_errors(error, *forms, aliases={"environment": "server_environment"})
    beside_fields = any(set(form.errors) - {"__all__"} for form in forms)
    return (show_forms if beside_fields else _show_devices)(request, recipe, forms)
