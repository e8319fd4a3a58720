"""Adding a device by a command: the page that makes it, and the page that waits for the machine."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRedirect, retarget

from forgelab.accounts.actors import from_request
from forgelab.devices import fingerprints, join_tokens
from forgelab.devices.identities import identity_default
from forgelab.devices.models import JoinToken
from forgelab.web.errors import UNPROCESSABLE, add_errors
from forgelab.web.forms.devices import CommandForm
from forgelab.web.permissions import needs
from forgelab.web.shortcuts import request_origin


@needs("join_token.create")
@never_cache
def command(request: HttpRequest) -> HttpResponse:
    """Make the command that is run on the machine. It is in this answer and nowhere else: only its hash is kept."""
    form = CommandForm(request.POST or None)
    context = {"form": form, "way": "command", "minutes": settings.JOIN_MINUTES}
    try:
        url = join_tokens.base_url(asked=request_origin(request))
    except join_tokens.NotReachable as error:
        context |= {"unreachable": error}
        return render(request, "web/devices/add_command.html", context)
    if request.method != "POST" or not form.is_valid():
        return _form(request, context)
    try:
        token, text = join_tokens.token_create(
            user=request.user, name=form.cleaned_data["name"], actor=from_request(request)
        )
    except ValidationError as error:
        add_errors(error, form)
        return _form(request, context)
    return render(request, "web/devices/join.html", context | _waiting(token) | _commands(url, text))


def _form(request: HttpRequest, context: dict[str, object]) -> HttpResponse:
    form = context["form"]
    return render(request, "web/devices/add_command.html", context, status=UNPROCESSABLE if form.errors else 200)


def _commands(url: str, text: str) -> dict[str, object]:
    return {
        "command": join_tokens.command(url, text),
        "wget": join_tokens.command(url, text, program="wget -qO-"),
        "as_root": join_tokens.command(url, text, sudo=False),
        "fingerprint": fingerprints.parse(identity_default().public_key)[0].fingerprint,
        "plain_http": url.startswith("http://"),
    }


@never_cache
@require_GET
def waiting(request: HttpRequest, token_id: int) -> HttpResponse:
    """The page that waits for the machine and goes on to its device. htmx asks it for what has changed."""
    token = get_object_or_404(JoinToken.objects.select_related("device"), pk=token_id)
    context = _waiting(token) | {"way": "command", "minutes": settings.JOIN_MINUTES}
    outcome = context["outcome"]
    if outcome.device:
        messages.success(request, outcome.sentence)
        url = reverse("device_detail", args=[outcome.device.name])
        return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
    if not request.htmx:
        return render(request, "web/devices/join.html", context)
    if request.GET.get("shown") == outcome.state:
        return HttpResponse(status=204)
    if outcome.is_over:  # the command on the page is of no use any more
        return retarget(render(request, "web/devices/join.html#section", context), "#joining")
    return render(request, "web/devices/join.html#outcome", context)


def _waiting(token: JoinToken) -> dict[str, Any]:
    return {"token": token, "outcome": join_tokens.outcome(token)}
