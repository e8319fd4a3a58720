"""A plan: what a run in check mode found, and the button that applies exactly that."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from forgelab.accounts.actors import from_request
from forgelab.runs.models import Run
from forgelab.servers.changes import dry_run, reports
from forgelab.servers.models import Server
from forgelab.servers.provisioning import checks
from forgelab.web.confirmation import confirmation, confirmation_context
from forgelab.web.host_keys import UNPROCESSABLE


@login_required
@require_GET
@never_cache
def plan(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _plan_run(run_id)
    return redirect("run_detail", run.pk) if run.is_active else _show(request, run)


@login_required
@require_POST
@never_cache
def apply(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _plan_run(run_id)
    try:
        applied = dry_run.server_apply(run=run, actor=from_request(request), **confirmation(request))
    except ValidationError as error:
        return _show(request, run, error.messages)
    return redirect("run_detail", applied.pk)


def _plan_run(run_id: UUID) -> Run:
    return get_object_or_404(Run.objects.select_related("device").defer("plan"), pk=run_id, kind=checks.PLAN)


def _show(request: HttpRequest, run: Run, errors: list[str] | None = None) -> HttpResponse:
    server = Server.objects.filter(pk=run.subject_id).select_related("device").first()
    context: dict[str, Any] = {"run": run, "server": server, "result": reports.plan_result(run=run), "errors": errors}
    if server:
        context |= confirmation_context(request, server)
    return render(request, "web/servers/plan.html", context, status=UNPROCESSABLE if errors else 200)
