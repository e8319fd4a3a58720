"""What views do that start a run by one click on a server's page."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from forgelab.runs.models import Run
from forgelab.servers.models import Server


def server_named(name: str) -> Server:
    """The server with its device and components, or a 404."""
    return get_object_or_404(Server.objects.select_related("device").prefetch_related("components"), name=name)


def start_run(request: HttpRequest, name: str, start: Callable[[Server], Run]) -> HttpResponse:
    """Go to the run that the service starts; where it refuses, back to the server's page with its sentences."""
    try:
        return redirect("run_detail", start(server_named(name)).pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("server_detail", name)
