"""Devices: what is known of them."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.base import Pages, View, choice, find, page
from forgelab.devices import hostkeys
from forgelab.devices.models import Device


class DeviceSerializer(serializers.ModelSerializer[Device]):
    """A machine of the homelab. Sizes are in MiB, the load in percent of the cores."""

    status_label = serializers.CharField(source="get_status_display", help_text="The status in words.")
    availability_percent = serializers.FloatField(allow_null=True)
    disks = serializers.ListField(child=serializers.DictField(), help_text="name, kind, size_mb and model of each.")
    listening = serializers.ListField(
        child=serializers.DictField(),
        help_text="TCP ports that are taken: port, process, and address: any, loopback or other.",
    )
    fingerprints = serializers.SerializerMethodField(help_text="Of the pinned host keys, as `ssh-keygen -l` has them.")

    class Meta:
        model = Device
        fields = [
            "id", "name", "address", "port", "user", "status", "status_label", "status_detail", "seen_at",
            "connection", "jump", "fingerprints", "memory_total_mb", "memory_available_mb", "cores", "load_percent",
            "disk_total_mb", "disk_free_mb", "disk_kind", "architecture", "distribution", "distribution_version",
            "model", "virtualisation", "disks", "listening", "temperature_celsius", "uptime_seconds", "sleeps",
            "mac_address", "misses", "availability_percent", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_fingerprints(self, device: Device) -> list[str]:
        return [key.fingerprint for key in hostkeys.parse(device.host_keys)]


class DeviceBriefSerializer(serializers.ModelSerializer[Device]):
    class Meta:
        model = Device
        fields = ["id", "name", "address"]
        read_only_fields = fields


class DeviceListView(View):
    pagination_class = Pages

    @extend_schema(
        operation_id="devices_list",
        parameters=[
            OpenApiParameter("status", str, enum=Device.Status.values),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` or `previous` of another page."),
            OpenApiParameter("limit", int, description="Rows on a page, at most 200."),
        ],
        responses=DeviceSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """All devices by name."""
        status = choice(request, "status", Device.Status.values)
        rows = Device.objects.filter(status=status) if status else Device.objects.all()
        return page(self, rows, "name", DeviceSerializer)


class DeviceView(View):
    @extend_schema(operation_id="devices_show", responses=DeviceSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """One device."""
        return Response(DeviceSerializer(find(Device.objects.all(), "device", key)).data)
