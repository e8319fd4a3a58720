"""What a device has measured, and whether it may sleep."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.base import StrictSerializer, View, choice, find
from forgelab.api.devices.serializers import DeviceSerializer
from forgelab.devices import update
from forgelab.devices.metrics import history
from forgelab.devices.models import Device, Sample

SPANS = {"60": timedelta(hours=2), "300": timedelta(days=1), "3600": timedelta(days=30)}  # and how far back by itself


class SampleSerializer(serializers.ModelSerializer[Sample]):
    """What a device measured in the span of time that begins at `at`; null where it did not answer."""

    class Meta:
        model = Sample
        fields = [
            "at", "asked", "answered", "load_percent", "memory_available_mb", "disk_free_mb", "temperature_celsius",
        ]  # fmt: skip
        read_only_fields = fields


class Samples(CursorPagination):
    """Pages that stay right while samples are added: follow `next` until it is null."""

    page_size = 500
    page_size_query_param = "limit"
    max_page_size = 2000
    ordering = "at"


class MetricsView(View):
    pagination_class = Samples

    @extend_schema(
        operation_id="devices_metrics",
        parameters=[
            OpenApiParameter("span", int, enum=[60, 300, 3600], description="Seconds that a sample stands for: a "
                             "minute (kept for 2 days), five (30 days) or an hour (400 days). 300 by default."),
            OpenApiParameter("since", OpenApiTypes.DATETIME, description="From when on; by default 2 hours ago, a day "
                             "or 30 days, by the span."),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` or `previous` of another page."),
            OpenApiParameter("limit", int, description="Samples on a page, at most 2000."),
        ],
        responses=SampleSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, key: UUID) -> Response:
        """What the device has measured, oldest first. A time without samples is one in which nobody asked."""
        device = find(Device.objects.all(), "device", key)
        span = choice(request, "span", list(SPANS)) or "300"
        pages = Samples()
        rows = history.samples(device, int(span), _since(request, SPANS[span]))
        found = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response(SampleSerializer(found, many=True).data)


def _since(request: Request, back: timedelta) -> datetime:
    text = request.query_params.get("since")
    if text is None:
        return timezone.now() - back
    try:
        moment = parse_datetime(text.strip().replace(" ", "+"))  # an unquoted + arrives as a space
    except ValueError:
        moment = None
    if moment is None:
        raise serializers.ValidationError({"since": [f'"{text[:40]}" is no time such as 2026-03-10T12:00:00Z.']})
    try:
        return moment if moment.tzinfo else timezone.make_aware(moment)
    except (ValueError, OverflowError):
        raise serializers.ValidationError({"since": [f'"{text[:40]}" is too far away.']}) from None


class SleepSerializer(StrictSerializer):
    sleeps = serializers.BooleanField(required=False, help_text="It may sleep: woken before a run, never called down.")
    mac_address = serializers.CharField(
        required=False, allow_blank=True, max_length=40,
        help_text="Of the network card that wakes it, such as 52:54:00:12:34:56; empty: read at the next look.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"sleeps": ["Give sleeps, mac_address, or both."]})
        return attrs


class SleepView(View):
    @extend_schema(operation_id="devices_sleep", request=SleepSerializer, responses=DeviceSerializer)
    def post(self, request: Request, key: UUID) -> Response:
        """Mark a device as one that sleeps, or not, and say by which address it is woken."""
        device = find(Device.objects.all(), "device", key)
        wanted = SleepSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            update.device_update(device=device, **wanted.validated_data)
        except ValidationError as error:
            raise serializers.ValidationError(error.message_dict) from None
        return Response(DeviceSerializer(device).data)
