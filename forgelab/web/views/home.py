"""The overview."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from forgelab.devices.models import Device
from forgelab.runs.selectors import run_list
from forgelab.servers.selectors import server_list
from forgelab.web.shortcuts import polled


def home(request: HttpRequest) -> HttpResponse:
    runs = run_list()
    context = {
        "active_runs": runs.active().prefetch_related("steps"),
        "recent_runs": runs.finished()[:5],
        "servers": server_list(),
        "devices": Device.objects.prefetch_related("servers"),
    }
    return polled(request, "web/home.html", "running", context)
