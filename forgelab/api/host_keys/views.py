"""SSH host keys: those that a machine shows, and pinning others."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.devices.serializers import DeviceSerializer
from forgelab.api.errors import Conflict
from forgelab.api.host_keys.accept import accepted_keys, shown_at, shown_by
from forgelab.api.host_keys.serializers import (
    AcceptedKeysSerializer,
    HostKeySerializer,
    HostKeysSerializer,
    ScanQuerySerializer,
)
from forgelab.api.views import View
from forgelab.devices import hostkeys, services
from forgelab.devices.models import Device


class ScanView(View):
    actions = {"GET": "device.add"}
    query_serializer_class = ScanQuerySerializer

    @extend_schema(
        operation_id="host_keys_shown", parameters=[ScanQuerySerializer], responses=HostKeySerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """The host keys that a machine shows now, to be compared with what the machine itself says."""
        return Response(HostKeySerializer(shown_at(**self.parameters()), many=True).data)


class HostKeysView(View):
    actions = {"POST": "device.trust"}
    queryset = Device.objects.select_related("jump")
    serializer_class = AcceptedKeysSerializer

    def get_object(self) -> Device:
        """The device. Raises `Conflict` for one that is reached without SSH."""
        device: Device = super().get_object()
        if device.connection != Device.Connection.SSH:
            raise Conflict(
                f"{device.name} is the machine that ForgeLab runs on: it is reached without SSH and host keys."
            )
        return device

    @extend_schema(operation_id="devices_host_keys", responses=HostKeysSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """The host keys that the device shows now, beside the pinned ones."""
        device = self.get_object()
        keys = {"shown": shown_by(device), "pinned": hostkeys.parse(device.host_keys)}
        return Response(HostKeysSerializer(keys).data)

    @extend_schema(operation_id="devices_trust", responses=DeviceSerializer)
    def post(self, request: Request, key: UUID) -> Response:
        """Pin other host keys, on purpose: from now on no other key is accepted."""
        device, wanted = self.get_object(), self.body()
        keys = accepted_keys(wanted, lambda: shown_by(device))
        services.device_trust(device=device, host_keys=keys, actor=self.actor)
        return Response(DeviceSerializer(device).data)
