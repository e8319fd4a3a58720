"""Measurements of a device, and which of them a request asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from forgelab.api.serializers import OneOfField
from forgelab.devices.models import Sample

SPANS = {"60": timedelta(hours=2), "300": timedelta(days=1), "3600": timedelta(days=30)}  # and how far back by itself


class SampleSerializer(serializers.ModelSerializer[Sample]):
    """What a device measured in the span of time that begins at `at`; null where it did not answer."""

    class Meta:
        model = Sample
        fields = [
            "at", "asked", "answered", "load_percent", "memory_available_mb", "disk_free_mb", "temperature_celsius",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.Field[Any, Any, Any, Any]):
    """A moment such as 2026-03-10T12:00:00Z; without an offset in ForgeLab's own time zone."""

    def to_internal_value(self, data: str) -> datetime:
        """Raises `ValidationError`."""
        try:
            moment = parse_datetime(data.strip().replace(" ", "+"))  # an unquoted + arrives as a space
        except ValueError:
            moment = None
        if moment is None:
            raise serializers.ValidationError(f'"{data[:40]}" is no time such as 2026-03-10T12:00:00Z.')
        try:
            return (moment if moment.tzinfo else timezone.make_aware(moment)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise serializers.ValidationError(f'"{data[:40]}" is too far away.') from None


@extend_schema_field({"type": "integer", "enum": [int(span) for span in SPANS]})
class SpanField(OneOfField):
    pass


class MetricsQuerySerializer(serializers.Serializer[Any]):
    span = SpanField(
        list(SPANS), required=False,
        help_text="Seconds that a sample stands for: a minute (kept for 2 days), five (30 days) or an hour (400 days). "
        "300 by default.",
    )  # fmt: skip
    since = MomentField(
        required=False, help_text="From when on; by default 2 hours ago, a day or 30 days, by the span."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        span = attrs.get("span", "300")
        return {"span": int(span), "since": attrs.get("since") or timezone.now() - SPANS[span]}
