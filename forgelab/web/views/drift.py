"""Drift checks: whether the device is still as planned, now or every day."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from forgelab.accounts.actors import from_request
from forgelab.servers.changes import drift
from forgelab.web.permissions import needs
from forgelab.web.shortcuts import server_or_404, start_run


@needs("server.drift_check")
@require_POST
def drift_check(request: HttpRequest, name: str) -> HttpResponse:
    return start_run(request, name, lambda server: drift.server_drift_check(server=server, actor=from_request(request)))


@needs("server.daily_check")
@require_POST
def daily_check(request: HttpRequest, name: str) -> HttpResponse:
    """Turn the daily drift check on or off."""
    server = drift.server_daily_check(
        server=server_or_404(name), enabled=request.POST.get("daily") == "on", actor=from_request(request)
    )
    how = "every day from now on" if server.drift_watch else "only when you ask"
    messages.success(request, f"{name} is checked for drift {how}.")
    return redirect("server_detail", name)
