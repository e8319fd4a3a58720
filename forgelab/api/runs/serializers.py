"""Runs, their steps and events, as the API shows them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from forgelab.api.devices.serializers import DeviceBriefSerializer
from forgelab.api.serializers import WholeNumberField
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


class EventsQuerySerializer(serializers.Serializer[Any]):
    after = WholeNumberField(
        max_value=MAX_COUNTER, default=0, help_text="Only events with a greater counter; 0 for all."
    )
    limit = WholeNumberField(
        max_value=MAX_EVENTS, default=500, help_text=f"At most so many; up to {MAX_EVENTS}, 500 unless given."
    )
