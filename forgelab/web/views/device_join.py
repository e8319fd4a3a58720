"""Machines that join by themselves: the command to run on them, the page that waits, and what they fetch and report."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from forgelab.accounts.actors import from_request
from forgelab.devices import fingerprints, join_script, join_tokens, joining
from forgelab.devices.identities import identity_default
from forgelab.devices.models import JoinToken
from forgelab.lib.client_ip import client_ip
from forgelab.web import join_throttle
from forgelab.web.errors import UNPROCESSABLE, add_errors
from forgelab.web.forms.devices import CommandForm
from forgelab.web.permissions import needs

TOO_MANY = "Too many wrong commands came from this address. Wait a minute, then try again."
TOO_LARGE = "The machine's report is too large."


@needs("join_token.create")
@never_cache
def command(request: HttpRequest) -> HttpResponse:
    """Make the command that is run on the machine. It is in this answer and nowhere else: only its hash is kept."""
    form = CommandForm(request.POST or None)
    context = {"form": form, "way": "command", "minutes": settings.JOIN_MINUTES}
    try:
        url = join_tokens.base_url(asked=_origin(request))
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
    """Whether the machine has joined: as a page that goes on to the device, or as JSON for the page's script."""
    token = get_object_or_404(JoinToken.objects.select_related("device"), pk=token_id)
    outcome = join_tokens.outcome(token)
    url = reverse("device_detail", args=[outcome.device.name]) if outcome.device else ""
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"state": outcome.state, "sentence": outcome.sentence, "url": url})
    if outcome.device:
        messages.success(request, outcome.sentence)
        return redirect(url)
    return render(
        request, "web/devices/join.html", _waiting(token) | {"way": "command", "minutes": settings.JOIN_MINUTES}
    )


def _waiting(token: JoinToken) -> dict[str, object]:
    return {"token": token, "outcome": join_tokens.outcome(token)}


@login_not_required
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """What the machine asks for: its script, which uses nothing up; and its report, which uses the token up.

    Every answer has status 200: `curl -f` would leave an error out, and an empty script looks like a success.
    """
    came_from = client_ip(request)
    is_report = request.method == "POST"
    if not join_throttle.may_guess(came_from):
        return _said(f"refused: {TOO_MANY}" if is_report else join_script.refusal(TOO_MANY))
    found = join_tokens.token_find(token)
    if found is None:
        join_throttle.guessed_wrong(came_from)
    if is_report:
        return _said(_report(request, token, came_from))
    if problem := join_tokens.problem(found):
        return _said(join_script.refusal(problem))
    url = join_tokens.join_url(settings.PUBLIC_URL or _origin(request), token)
    return _said(join_script.script(report_url=url, public_key=identity_default().public_key))


def _report(request: HttpRequest, token: str, came_from: str) -> str:
    """The word that the script looks for, and the sentence that it prints."""
    body = request.read(join_script.LARGEST_REPORT + 1)
    if len(body) > join_script.LARGEST_REPORT:
        return f"refused: {TOO_LARGE}"
    text = body.decode(errors="replace")
    try:
        device = joining.join(token_text=token, report_text=text, came_from=came_from)
    except joining.JoinRefused as error:
        return f"refused: {error}"
    except Exception:
        joining.log.exception("a machine could not join")
        return f"refused: {joining.BY_ACCIDENT}"
    return f"joined: This machine is {device.name} in ForgeLab, which reaches it at {device.address}."


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _said(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
