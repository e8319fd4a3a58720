"""Devices: what is known of them."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

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
