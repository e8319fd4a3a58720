"""Devices: listed, added, looked at, refreshed, removed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.generics import RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.devices.add import DeviceAddSerializer, add
from forgelab.api.devices.filters import DeviceFilterSet
from forgelab.api.devices.serializers import DeviceSerializer
from forgelab.api.errors import conflict_on
from forgelab.api.views import ListView, View
from forgelab.devices import services
from forgelab.devices.models import Device


class DeviceListView(ListView):
    actions = {"POST": "device.add"}
    queryset = Device.objects.all()
    filterset_class = DeviceFilterSet
    ordering = "name"

    def get_serializer_class(self) -> type[Any]:
        return DeviceAddSerializer if self.request.method == "POST" else DeviceSerializer

    @extend_schema(operation_id="devices_list")
    def get(self, request: Request) -> Response:
        """All devices by name."""
        return self.list(request)

    @extend_schema(operation_id="devices_add", responses={201: DeviceSerializer})
    @method_decorator(sensitive_variables())
    def post(self, request: Request) -> Response:
        """Add a device. It is logged in to once; where that does not work, nothing is stored."""
        device = add(self.actor, self.body())
        return Response(DeviceSerializer(device).data, status=201)


class DeviceView(View, RetrieveAPIView[Device]):
    actions = {"DELETE": "device.remove"}
    queryset = Device.objects.all()
    serializer_class = DeviceSerializer

    @extend_schema(operation_id="devices_show")
    def get(self, request: Request, key: UUID) -> Response:
        """One device."""
        return self.retrieve(request)

    @extend_schema(operation_id="devices_remove", responses={204: None})
    def delete(self, request: Request, key: UUID) -> Response:
        """Forget a device and the record of its runs; nothing on it is changed. 409 while servers are on it."""
        device = self.get_object()
        with conflict_on(ValidationError):
            services.device_remove(device=device, actor=self.actor)
        return Response(status=204)


class RefreshView(View):
    actions = {"POST": "device.refresh"}
    queryset = Device.objects.all()

    @extend_schema(operation_id="devices_refresh", request=None, responses=DeviceSerializer)
    def post(self, request: Request, key: UUID) -> Response:
        """Read the device's facts again. Where it cannot be reached, `status` and `status_detail` say why."""
        return Response(DeviceSerializer(services.device_refresh(device=self.get_object(), actor=self.actor)).data)
