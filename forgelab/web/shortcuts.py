"""What several views do: find the server or answer 404, and start a run by one click."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect

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


def request_origin(request: HttpRequest) -> str:
    """The address that the request was sent to, such as `https://forgelab.home.arpa`."""
    return f"{request.scheme}://{request.get_host()}"
