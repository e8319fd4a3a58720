"""Servers: provisioning, listing, their credentials."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from forgelab.accounts.actors import from_request
from forgelab.api.base import Pages, View, choice, device_named, find, page
from forgelab.api.devices.serializers import DeviceBriefSerializer
from forgelab.api.runs.views import AcceptedSerializer, RunSummarySerializer, accepted
from forgelab.api.server_types.serializers import (
    ProvisionSerializer,
    ServerTypeSerializer,
    ServerTypesSerializer,
    provision_request,
)
from forgelab.devices.models import Device
from forgelab.servers import selectors
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Component, Server
from forgelab.servers.provisioning import services

log = logging.getLogger("forgelab.audit")


class ComponentSerializer(serializers.ModelSerializer[Component]):
    class Meta:
        model = Component
        fields = ["name", "title", "version"]
        read_only_fields = fields


class DriftSerializer(serializers.Serializer[Any]):
    """How far the device is from the server's plan; `count` is null where nobody has looked since provisioning."""

    count = serializers.IntegerField(source="drift_count", allow_null=True)
    since = serializers.DateTimeField(source="drift_since", allow_null=True)
    checked_at = serializers.DateTimeField(source="drift_checked_at", allow_null=True)
    watch = serializers.BooleanField(source="drift_watch", help_text="It is looked at every day.")
    run = serializers.UUIDField(source="drift_run_id", allow_null=True, help_text="The look; `runs/{id}/plan`.")


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

    latest_run = RunSummarySerializer(allow_null=True)
    messages = MessageSerializer(many=True)

    class Meta(ServerSerializer.Meta):
        fields = [*ServerSerializer.Meta.fields, "latest_run", "messages"]
        read_only_fields = fields


class CredentialFieldSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField()
    secret = serializers.BooleanField()


class CredentialsSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    fields = CredentialFieldSerializer(many=True)  # type: ignore[assignment]


class ProvisionView(View):
    @extend_schema(operation_id="provision", request=provision_request(), responses={202: AcceptedSerializer})
    def post(self, request: Request) -> Response:
        """Provision a server, or provision it again. Answers at once; follow the run."""
        wanted = ProvisionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        chosen = wanted.validated_data
        try:
            run = services.server_provision(
                server_type=chosen["server_type"],
                name=chosen["name"],
                device=_device(chosen["device_id"]),
                config=chosen["config"],
                environment=chosen["environment"],
                actor=from_request(request),
            )
        except ValidationError as error:
            raise _in_our_words(error) from None
        return accepted(run, request)


def _device(key: UUID | None) -> Device | None:
    device = Device.objects.filter(pk=key).first() if key else None
    if key and device is None:
        raise exceptions.ValidationError({"device_id": [f"There is no device {key}."]})
    return device


def _in_our_words(error: ValidationError) -> ValidationError:
    """The service speaks of `device`, the request of `device_id`."""
    if not hasattr(error, "error_dict"):
        return error
    return ValidationError(
        {"device_id" if key == "device" else key: value for key, value in error.message_dict.items()}
    )


class ServerListView(View):
    pagination_class = Pages

    @extend_schema(
        operation_id="servers_list",
        parameters=[
            OpenApiParameter("status", str, enum=Server.Status.values),
            OpenApiParameter("environment", str, enum=Server.Environment.values),
            OpenApiParameter("device", str, description="Id or name of a device."),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` or `previous` of another page."),
            OpenApiParameter("limit", int, description="Rows on a page, at most 200."),
        ],
        responses=ServerSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """All servers by name."""
        rows = selectors.server_list()
        if wanted := choice(request, "status", Server.Status.values):
            rows = rows.filter(status=wanted)
        if wanted := choice(request, "environment", Server.Environment.values):
            rows = rows.filter(environment=wanted)
        if device := device_named(request):
            rows = rows.filter(device=device)
        return page(self, rows, "name", ServerSerializer)


class ServerView(View):
    @extend_schema(operation_id="servers_show", responses=ServerDetailSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """One server with its components, its latest run and its recipe's messages."""
        server = find(selectors.server_list(), "server", key)
        context = {"request": request}
        run = selectors.server_latest_run(server)
        return Response(
            {
                **ServerSerializer(server, context=context).data,
                "latest_run": RunSummarySerializer(run, context=context).data if run else None,
                "messages": selectors.server_messages(server=server),
            }
        )


class CredentialsView(View):
    @extend_schema(operation_id="servers_credentials", responses=CredentialsSerializer(many=True))
    def get(self, request: Request, key: UUID) -> Response:
        """The server's credentials in clear. Who asked is logged."""
        server = find(selectors.server_list(), "server", key)
        log.info("credentials of %s shown to %s", server.name, request.user)
        return Response(selectors.server_credentials(server=server), headers={"Cache-Control": "no-store"})


class ServerTypeListView(View):
    @extend_schema(operation_id="server_types_list", responses=ServerTypesSerializer)
    def get(self, request: Request) -> Response:
        """Every server type that can be provisioned, and what is wrong with the recipes that cannot."""
        catalog = recipe_catalog()
        found = {"results": catalog.recipes.values(), "problems": catalog.reports()}
        return Response(ServerTypesSerializer(found).data)


class ServerTypeView(View):
    @extend_schema(operation_id="server_types_show", responses=ServerTypeSerializer)
    def get(self, request: Request, key: str) -> Response:
        """One server type."""
        recipe = recipe_catalog().recipes.get(key)
        if recipe is None:
            raise exceptions.NotFound(f'There is no server type "{key}". All of them: {reverse("api:server-types")}')
        return Response(ServerTypeSerializer(recipe).data)
