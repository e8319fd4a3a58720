"""SSH host keys as requests accept them and answers show them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from forgelab.api.serializers import StrictSerializer
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.models import Device

FIND_OUT = "GET devices/host-keys?address=...&port=... lists those that the machine shows"


class HostKeySerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="Such as ssh-ed25519.")
    fingerprint = serializers.CharField(help_text="As `ssh-keygen -l` prints it.")
    key = serializers.SerializerMethodField(help_text="Kind and base64, as in known_hosts.")

    def get_key(self, key: HostKey) -> str:
        return str(key)


class HostKeysSerializer(serializers.Serializer[Any]):
    """The keys that the machine shows now, and those that are pinned."""

    shown = HostKeySerializer(many=True)
    pinned = HostKeySerializer(many=True)


class ScanQuerySerializer(serializers.Serializer[Any]):
    address = serializers.CharField(max_length=253, help_text="IP address or host name.")
    port = serializers.IntegerField(min_value=1, max_value=65535, default=22, help_text="SSH port; 22 by default.")
    jump = serializers.PrimaryKeyRelatedField(
        queryset=Device.objects.all(), required=False, allow_null=True,
        help_text="The device that it is reached through.",
    )  # fmt: skip


class AcceptedKeysSerializer(StrictSerializer):
    """Host keys accepted by the fingerprints that the machine must show now, or given whole."""

    fingerprints = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=8,
        help_text=f"Those that you accept, such as SHA256:...; {FIND_OUT}. Any other key is refused from then on.",
    )  # fmt: skip
    host_keys = serializers.ListField(
        child=serializers.CharField(max_length=4000), required=False, max_length=8,
        help_text="Instead of fingerprints: whole keys that you know, `ssh-ed25519 AAAA...` each.",
    )  # fmt: skip
