"""Runs: what ForgeLab did and is doing, step by step, and cancelling."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.errors import conflict_on
from forgelab.api.runs.accepted import accepted
from forgelab.api.runs.filters import RunFilterSet
from forgelab.api.runs.serializers import (
    AcceptedSerializer,
    EventSerializer,
    EventsQuerySerializer,
    EventsSerializer,
    RunSerializer,
    RunSummarySerializer,
    StepSerializer,
)
from forgelab.api.views import ListView, View
from forgelab.runs import selectors, services


class RunListView(ListView):
    queryset = selectors.run_list().prefetch_related("steps")
    serializer_class = RunSummarySerializer
    filterset_class = RunFilterSet
    ordering = "-created_at"

    @extend_schema(operation_id="runs_list")
    def get(self, request: Request) -> Response:
        """All runs, newest first."""
        return self.list(request)


class RunView(View):
    queryset = selectors.run_list()

    @extend_schema(operation_id="runs_show", responses=RunSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """One run with its steps."""
        return Response(selectors.run_snapshot(run_id=self.get_object().pk))


class StepsView(View):
    queryset = selectors.run_list()

    @extend_schema(operation_id="runs_steps", responses=StepSerializer(many=True))
    def get(self, request: Request, key: UUID) -> Response:
        """The steps of a run in order."""
        return Response(selectors.run_snapshot(run_id=self.get_object().pk)["steps"])


class EventsView(View):
    queryset = selectors.run_list()
    query_serializer_class = EventsQuerySerializer

    @extend_schema(operation_id="runs_events", parameters=[EventsQuerySerializer], responses=EventsSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """Ansible's events of a run, in order, from a counter on."""
        wanted = self.parameters()
        # Read before the events, so that "finished" promises that all of them are there.
        run = self.get_object()
        events = selectors.run_events(run=run, **wanted)
        last = events[-1].counter if events else wanted["after"]
        results = EventSerializer(events, many=True).data
        return Response({"results": results, "next": last, "finished": not run.is_active})


class CancelView(View):
    actions = {"POST": "run.cancel"}
    queryset = selectors.run_list()

    @extend_schema(operation_id="runs_cancel", request=None, responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Ask a run to stop; 409 when it has already ended."""
        run = self.get_object()
        with conflict_on(ValidationError):
            run = services.run_cancel(run=run, actor=self.actor)
        return accepted(run, request)
