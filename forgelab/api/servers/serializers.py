"""Servers as the API shows them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from forgelab.api.devices.serializers import DeviceBriefSerializer
from forgelab.api.runs.serializers import RunSummarySerializer
from forgelab.servers import selectors
from forgelab.servers.models import Component, Server


class ComponentSerializer(serializers.ModelSerializer[Component]):
    class Meta:
        model = Component
        fields = ["name", "title", "version"]
        read_only_fields = fields


class DriftSerializer(serializers.Serializer[Any]):
    """How far the device is from the server's plan; `count` is null where it was not checked since provisioning."""

    count = serializers.IntegerField(source="drift_count", allow_null=True)
    since = serializers.DateTimeField(source="drift_since", allow_null=True)
    checked_at = serializers.DateTimeField(source="drift_checked_at", allow_null=True)
    watch = serializers.BooleanField(source="drift_watch", help_text="It is checked every day.")
    run = serializers.UUIDField(source="drift_run_id", allow_null=True, help_text="Its last check: `runs/{id}/plan`.")


class ServerSerializer(serializers.ModelSerializer[Server]):
    """A server in a list; its credentials are only at `/credentials`."""

    status_label = serializers.CharField(source="get_status_display", help_text="The status in words.")
    device = DeviceBriefSerializer()
    components = ComponentSerializer(many=True)
    drift = DriftSerializer(source="*")

    class Meta:
        model = Server
        fields = [
            "id", "name", "server_type", "environment", "status", "status_label", "status_detail",
            "device", "components", "config",
            "placement", "memory_mb", "storage_mb", "created_at", "provisioned_at", "drift",
        ]  # fmt: skip
        read_only_fields = fields


class MessageSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    message = serializers.CharField()


class ServerDetailSerializer(ServerSerializer):
    """A server with its latest run and what its recipe has to say."""

    latest_run = serializers.SerializerMethodField()
    messages = serializers.SerializerMethodField()

    class Meta(ServerSerializer.Meta):
        fields = [*ServerSerializer.Meta.fields, "latest_run", "messages"]
        read_only_fields = fields

    @extend_schema_field(RunSummarySerializer(allow_null=True))
    def get_latest_run(self, server: Server) -> Any:
        run = selectors.server_latest_run(server)
        return RunSummarySerializer(run, context=self.context).data if run else None

    @extend_schema_field(MessageSerializer(many=True))
    def get_messages(self, server: Server) -> Any:
        return selectors.server_messages(server=server)


class CredentialFieldSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField()
    secret = serializers.BooleanField()


class CredentialsSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    fields = CredentialFieldSerializer(many=True)  # type: ignore[assignment]
