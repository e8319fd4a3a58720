"""What several views do: find the server or answer 404, and start a run by one click."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string

from forgelab.runs.models import Run
from forgelab.servers.models import Server
from forgelab.web.errors import flash


def server_or_404(name: str) -> Server:
    """The server with its device and components."""
    related = Server.objects.select_related("device__identity").prefetch_related("components")
    return get_object_or_404(related, name=name)


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, for a form that is bound only then."""
    return request.POST if request.method == "POST" else None


def start_run(request: HttpRequest, name: str, start: Callable[[Server], Run]) -> HttpResponse:
    """Go to the run that the service starts; where it refuses, back to the server's page with its sentences."""
    try:
        return redirect("run_detail", start(server_or_404(name)).pk)
    except ValidationError as error:
        flash(request, error)
        return redirect("server_detail", name)


def polled(request: HttpRequest, template: str, part: str, context: dict[str, Any]) -> HttpResponse:
    """A page whose `part` htmx asks for again and again: the part alone, or nothing while the page shows it already.

    The template includes it as `{{ polled }}` in `web/_polled.html`.
    """
    html = render_to_string(f"{template}#{part}", context, request)
    digest = hashlib.md5(html.encode(), usedforsecurity=False).hexdigest()
    if request.htmx and request.GET.get("shown") == digest:
        return HttpResponse(status=204)
    context |= {"polled": html, "part": part, "digest": digest}
    return render(request, "web/_polled.html" if request.htmx else template, context)


def request_origin(request: HttpRequest) -> str:
    """The address that the request was sent to, such as `https://forgelab.home.arpa`."""
    return f"{request.scheme}://{request.get_host()}"
