"""What a machine that joins by a command fetches and sends. Nobody has logged in there: the token is all it has."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from forgelab.devices import join_script, join_tokens, joining
from forgelab.devices.identities import identity_default
from forgelab.lib.client_ip import client_ip
from forgelab.web import join_throttle
from forgelab.web.shortcuts import request_origin

TOO_MANY = "Too many wrong commands came from this address. Wait a minute, then try again."
TOO_LARGE = "The machine's report is too large."


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
        return _text(f"refused: {TOO_MANY}" if is_report else join_script.refusal(TOO_MANY))
    found = join_tokens.token_find(token)
    if found is None:
        join_throttle.guessed_wrong(came_from)
    if is_report:
        return _text(_report(request, token, came_from))
    if problem := join_tokens.problem(found):
        return _text(join_script.refusal(problem))
    url = join_tokens.join_url(settings.PUBLIC_URL or request_origin(request), token)
    return _text(join_script.script(report_url=url, public_key=identity_default().public_key))


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


def _text(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
