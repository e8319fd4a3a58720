"""A plan: what a run in check mode found, and the button that applies exactly that."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from forgelab.accounts.actors import from_request
from forgelab.runs.models import Run
from forgelab.servers.changes import reports
from forgelab.servers.kinds import PLAN
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.web.errors import UNPROCESSABLE, add_errors, error_messages
from forgelab.web.forms.servers import ConfirmationForm
from forgelab.web.permissions import needs


@require_GET
@never_cache
def plan(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _plan_run(run_id)
    return redirect("run_detail", run.pk) if run.is_active else _show(request, run)


@needs("server.apply")
@require_POST
@never_cache
def apply(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _plan_run(run_id)
    server = _server(run)
    sure = ConfirmationForm(request.POST, server=server) if server else None
    typed = sure.cleaned_data if sure and sure.is_valid() else {}
    try:
        applied = services.server_apply(run=run, actor=from_request(request), **typed)
    except ValidationError as error:
        if sure is None:
            return _show(request, run, errors=error_messages(error))
        add_errors(error, sure)
        return _show(request, run, sure)
    return redirect("run_detail", applied.pk)


def _plan_run(run_id: UUID) -> Run:
    return get_object_or_404(Run.objects.select_related("device").defer("plan").of_kind(PLAN), pk=run_id)


def _server(run: Run) -> Server | None:
    return Server.objects.filter(pk=run.subject_id).select_related("device").first()


def _show(
    request: HttpRequest, run: Run, sure: ConfirmationForm | None = None, errors: list[str] | None = None
) -> HttpResponse:
    server = _server(run)
    if server and sure is None:
        sure = ConfirmationForm(server=server)
    context: dict[str, Any] = {"run": run, "server": server, "result": reports.plan_result(run=run)}
    context |= {"sure": sure, "errors": errors or (sure.non_field_errors() if sure else [])}
    refused = bool(errors or (sure and sure.errors))
    return render(request, "web/servers/plan.html", context, status=UNPROCESSABLE if refused else 200)
