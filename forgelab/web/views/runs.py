"""Runs: the list, the live page, the complete log, and cancelling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from forgelab.accounts.actors import from_request
from forgelab.runs import kinds, selectors, services
from forgelab.runs.models import Run
from forgelab.web import run_stream
from forgelab.web.errors import error_messages
from forgelab.web.permissions import may_open, needs

PAGE = 50
LOG_EVENTS = 500  # events shown with the page itself; the stream brings what comes after

stream = run_stream.stream


@require_GET
def run_list(request: HttpRequest) -> HttpResponse:
    status = request.GET.get("status", "")
    status = status if status in Run.Status.values else ""
    page = Paginator(selectors.run_list(status=status or None), PAGE).get_page(request.GET.get("page"))
    return render(request, "web/runs/list.html", {"page": page, "status": status, "statuses": Run.Status.choices})


@require_GET
@never_cache
def detail(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The live page. Complete as it is served; the stream only keeps it up to date."""
    try:
        run = selectors.run_list().get(pk=run_id)
        snapshot = selectors.run_snapshot(run_id=run_id)
    except Run.DoesNotExist:
        raise Http404("There is no such run.") from None
    first = max(0, snapshot["last_counter"] - LOG_EVENTS)
    events = [selectors.event_data(event) for event in selectors.run_events(run=run, after=first, limit=LOG_EVENTS)]
    context = {
        "run": snapshot,
        **_of_kind(request, run),
        "announcement": run_stream.announcement(snapshot),
        "lines": run_stream.log_lines(events),
        "earlier": first,
        "after": events[-1]["counter"] if events else 0,
    }
    return render(request, "web/runs/detail.html", context)


def _of_kind(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Its kind, and where to go from its page: to its result (`ready`), or when it has not succeeded (`otherwise`).

    A user who may not open the page for failures gets the page of the result instead.
    """
    kind = kinds.find(run.kind)
    if kind is None:  # of a room that is no longer installed
        return {}
    ready = kind.result.link(run)
    failure = kind.failure.link(run) if kind.failure else None
    return {
        "kind": kind,
        "ready": ready,
        "otherwise": failure if failure and may_open(request, failure["url"]) else ready,
    }


@require_GET
@never_cache
def next_page(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Where a run's page leads once it has ended; nothing, to htmx, while it has not."""
    run = get_object_or_404(selectors.run_list().select_related("retried_by"), pk=run_id)
    if request.htmx and run.is_active:
        return HttpResponse(status=204)
    url = _next_url(request, run)
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def _next_url(request: HttpRequest, run: Run) -> str:
    """The run that repeats it, else what it has made, else its own page with the reason."""
    if repeat := getattr(run, "retried_by", None):
        return reverse("run_detail", args=[repeat.pk])
    ready = _of_kind(request, run).get("ready") if run.status == Run.Status.SUCCEEDED else None
    return ready["url"] if ready else reverse("run_detail", args=[run.pk])


@require_GET
def log(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """All of Ansible's output as plain text."""
    run = get_object_or_404(Run.objects.defer("plan"), pk=run_id)
    return HttpResponse("".join(_text(run)), content_type="text/plain; charset=utf-8")


def _text(run: Run) -> Iterator[str]:
    after = 0
    while events := selectors.run_events(run=run, after=after):
        yield "".join(f"{line['text']}\n" for line in run_stream.log_lines(map(selectors.event_data, events)))
        after = events[-1].counter


@needs("run.cancel")
@require_POST
def cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = get_object_or_404(Run.objects.defer("plan"), pk=run_id)
    try:
        services.run_cancel(run=run, actor=from_request(request))
    except ValidationError as error:
        messages.info(request, " ".join(error_messages(error)))
    return redirect("run_detail", run_id)
