"""Runs: what ForgeLab did and is doing, step by step, and cancelling."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from forgelab.accounts.actors import from_request
from forgelab.api.base import Pages, View, choice, device_named, find, number, page
from forgelab.api.devices.serializers import DeviceBriefSerializer
from forgelab.api.errors import Conflict
from forgelab.runs import selectors, services
from forgelab.runs.models import Event, Run, Step

MAX_COUNTER = 2**31 - 1
MAX_EVENTS = 2000


class RunSummarySerializer(serializers.ModelSerializer[Run]):
    """A run in a list."""

    status_label = serializers.CharField(source="get_status_display", help_text="The status in words.")
    device = DeviceBriefSerializer()
    percent = serializers.IntegerField(help_text="Finished steps out of all.")
    seconds = serializers.FloatField(allow_null=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = [
            "id", "title", "kind", "status", "status_label", "status_detail", "percent", "seconds", "device",
            "subject_id", "created_at", "started_at", "finished_at", "url",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, run: Run) -> str:
        return reverse("api:run", [run.pk], request=self.context["request"])


class StepSerializer(serializers.ModelSerializer[Step]):
    """One step of a run; `position` counts from 1 to `count`."""

    count = serializers.IntegerField()

    class Meta:
        model = Step
        fields = ["position", "count", "role", "title", "status", "seconds", "changed", "detail"]
        read_only_fields = fields


class UrlsSerializer(serializers.Serializer[Any]):
    run = serializers.URLField()
    steps = serializers.URLField()
    events = serializers.URLField()
    cancel = serializers.URLField()
    server = serializers.URLField(required=False)


class RunSerializer(RunSummarySerializer):
    """A run with its steps. `retry` is the run that repeats this one after its worker was lost."""

    steps = StepSerializer(many=True)
    requested_by = serializers.CharField(help_text="Who asked: a user, a token, the command line, the scheduler.")
    retry = serializers.UUIDField(allow_null=True)
    cancel_requested = serializers.BooleanField()
    last_counter = serializers.IntegerField(help_text="Of the newest stored event.")
    outcome = serializers.DictField(help_text="What the run learned: versions, facts, Ansible's recap.")

    class Meta(RunSummarySerializer.Meta):
        fields = [
            *(name for name in RunSummarySerializer.Meta.fields if name != "url"),
            "steps", "requested_by", "retry", "cancel_requested", "last_counter", "outcome",
        ]  # fmt: skip
        read_only_fields = fields


class AcceptedSerializer(serializers.Serializer[Any]):
    """A run that was asked for or asked to stop, and where to follow it."""

    run = RunSerializer()
    urls = UrlsSerializer()


class EventSerializer(serializers.ModelSerializer[Event]):
    class Meta:
        model = Event
        fields = ["counter", "kind", "role", "task", "host", "changed", "failed", "seconds", "stdout", "created_at"]
        read_only_fields = fields


class EventsSerializer(serializers.Serializer[Any]):
    """Events in order. Ask again with `after` = `next` until `finished` is true and `results` is empty."""

    results = EventSerializer(many=True)
    next = serializers.IntegerField(help_text="The counter to give as `after` next time.")
    finished = serializers.BooleanField(help_text="The run has ended: no event will be added.")


def accepted(run: Run, request: Request) -> Response:
    """202 with the run, and where to go from here."""
    urls = {name: reverse(f"api:{name}", [run.pk], request=request) for name in ("run", "steps", "events", "cancel")}
    if run.subject_type:
        urls[run.subject_type.model] = reverse(f"api:{run.subject_type.model}", [run.subject_id], request=request)
    data = {"run": selectors.run_snapshot(run_id=run.pk), "urls": urls}
    return Response(data, status=status.HTTP_202_ACCEPTED, headers={"Location": urls["run"]})


class RunListView(View):
    pagination_class = Pages

    @extend_schema(
        operation_id="runs_list",
        parameters=[
            OpenApiParameter("status", str, enum=Run.Status.values),
            OpenApiParameter("device", str, description="Id or name of a device."),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` or `previous` of another page."),
            OpenApiParameter("limit", int, description="Rows on a page, at most 200."),
        ],
        responses=RunSummarySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """All runs, newest first."""
        wanted = choice(request, "status", Run.Status.values)
        rows = selectors.run_list(status=wanted, device=device_named(request)).prefetch_related("steps")
        return page(self, rows, "-created_at", RunSummarySerializer)


class RunView(View):
    @extend_schema(operation_id="runs_show", responses=RunSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """One run with its steps."""
        return Response(selectors.run_snapshot(run_id=find(selectors.run_list(), "run", key).pk))


class StepsView(View):
    @extend_schema(operation_id="runs_steps", responses=StepSerializer(many=True))
    def get(self, request: Request, key: UUID) -> Response:
        """The steps of a run in order."""
        run = find(selectors.run_list(), "run", key)
        return Response(selectors.run_snapshot(run_id=run.pk)["steps"])


class EventsView(View):
    @extend_schema(
        operation_id="runs_events",
        parameters=[
            OpenApiParameter("after", int, description="Only events with a greater counter; 0 for all."),
            OpenApiParameter("limit", int, description=f"At most so many; up to {MAX_EVENTS}, 500 unless given."),
        ],
        responses=EventsSerializer,
    )
    def get(self, request: Request, key: UUID) -> Response:
        """Ansible's events of a run, in order, from a counter on."""
        after = number(request, "after", 0, MAX_COUNTER)
        limit = number(request, "limit", 500, MAX_EVENTS)
        # Read before the events, so that "finished" promises that all of them are there.
        run = find(selectors.run_list(), "run", key)
        events = selectors.run_events(run=run, after=after, limit=limit)
        last = events[-1].counter if events else after
        results = EventSerializer(events, many=True).data
        return Response({"results": results, "next": last, "finished": not run.is_active})


class CancelView(View):
    @extend_schema(operation_id="runs_cancel", request=None, responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Ask a run to stop; 409 when it has already ended."""
        run = find(selectors.run_list(), "run", key)
        try:
            run = services.run_cancel(run=run, actor=from_request(request))
        except ValidationError as error:
            raise Conflict(" ".join(error.messages)) from None
        return accepted(run, request)
