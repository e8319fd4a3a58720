"""Whether a device may sleep, and by which address it is woken."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.devices.serializers import DeviceSerializer
from forgelab.api.serializers import StrictSerializer
from forgelab.api.views import View
from forgelab.devices import update
from forgelab.devices.models import Device


class SleepSerializer(StrictSerializer):
    sleeps = serializers.BooleanField(required=False, help_text="It may sleep: woken before a run, never called down.")
    mac_address = serializers.CharField(
        required=False, allow_blank=True, max_length=40,
        help_text="Of the network card that wakes it, such as 52:54:00:12:34:56; empty: read at the next refresh.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"sleeps": ["Give sleeps, mac_address, or both."]})
        return attrs


class SleepView(View):
    actions = {"POST": "device.update"}
    queryset = Device.objects.all()
    serializer_class = SleepSerializer

    @extend_schema(operation_id="devices_sleep", responses=DeviceSerializer)
    def post(self, request: Request, key: UUID) -> Response:
        """Mark a device as one that sleeps, or not, and say by which address it is woken."""
        device = self.get_object()
        update.device_update(device=device, **self.body(), actor=self.actor)
        return Response(DeviceSerializer(device).data)
