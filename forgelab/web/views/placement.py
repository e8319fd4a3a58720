"""Where a whole set would go, and where the servers of a device would go if it were gone. Nothing is made here."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from forgelab.devices.models import Device
from forgelab.devices.placement import Constraint
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.placement import sets
from forgelab.servers.placement.set_requests import SetRequest
from forgelab.web.errors import UNPROCESSABLE, add_errors, error_messages
from forgelab.web.forms.placement import COUNT, set_form


@require_GET
def placement(request: HttpRequest) -> HttpResponse:
    """Everything asked stands in the address, so that an answer can be shown to somebody else."""
    if "without" in request.GET:
        return _without(request)
    recipes = list(recipe_catalog().recipes.values())
    form = set_form(recipes)(request.GET or None)
    context: dict[str, Any] = {"form": form, "devices": Device.objects.filter(servers__isnull=False).distinct()}
    if form.is_bound and form.is_valid():
        try:
            context["found"] = sets.set_place(requests=_requested(form), constraints=_constraints(form))
        except ValidationError as error:
            add_errors(error, form, aliases=_aliases(form))
    wrong = form.is_bound and not form.is_valid()
    return render(request, "web/placement/set.html", context, status=UNPROCESSABLE if wrong else 200)


def _without(request: HttpRequest) -> HttpResponse:
    device = get_object_or_404(Device, name=request.GET["without"])
    found, said = None, []
    try:
        found = sets.device_without(device=device)
    except ValidationError as error:
        said = error_messages(error)
    context = {"device": device, "what_if": found, "found": found.placement if found else None, "said": said}
    return render(request, "web/placement/without_device.html", context, status=UNPROCESSABLE if said else 200)


def _requested(form: Any) -> list[SetRequest]:
    counts = {name.removeprefix(COUNT): count for name, count in form.cleaned_data.items() if name.startswith(COUNT)}
    return [
        SetRequest(server_type=server_type, environment=form.cleaned_data["server_environment"], count=count)
        for server_type, count in counts.items()
        if count
    ]


def _constraints(form: Any) -> list[Constraint]:
    found = [
        Constraint(kind, tuple(names))
        for kind in ("apart", "together")
        for line in form.cleaned_data[kind].splitlines()
        if (names := [name for part in line.split(",") if (name := part.strip())])
    ]
    return found + ([Constraint("spread", ())] if form.cleaned_data["spread"] else [])


def _aliases(form: Any) -> dict[str, str | None]:
    """Which field of the form each constraint came from."""
    kinds = [constraint.kind for constraint in _constraints(form)]
    return {f"constraints[{number}]": kind for number, kind in enumerate(kinds)}
