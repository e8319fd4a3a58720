"""Devices that join by themselves: the command to run on them, and what came of it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.accounts.actors import from_request
from forgelab.api.base import StrictSerializer, View
from forgelab.api.devices.serializers import DeviceBriefSerializer
from forgelab.api.errors import Conflict
from forgelab.devices import join_tokens
from forgelab.devices.models import JoinToken

STATES = ("waiting", "joining", "joined", "failed", "expired")


class JoinTokenCreateSerializer(StrictSerializer):
    name = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=63, help_text="For the device; else its host name."
    )


class JoinTokenSerializer(serializers.ModelSerializer[JoinToken]):
    """A command's state. The token itself is told but once, when it is made."""

    state = serializers.SerializerMethodField()
    sentence = serializers.SerializerMethodField(help_text="The state in words; why, where the machine did not join.")
    device = DeviceBriefSerializer(allow_null=True)

    class Meta:
        model = JoinToken
        fields = ["id", "name", "created_at", "expires_at", "used_at", "state", "sentence", "device"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(STATES))
    def get_state(self, token: JoinToken) -> str:
        return join_tokens.outcome(token).state

    def get_sentence(self, token: JoinToken) -> str:
        return join_tokens.outcome(token).sentence


class MadeJoinTokenSerializer(JoinTokenSerializer):
    command = serializers.CharField(help_text="To be run on the machine; shown only now.")

    class Meta(JoinTokenSerializer.Meta):
        fields = [*JoinTokenSerializer.Meta.fields, "command"]
        read_only_fields = fields


class JoinTokenListView(View):
    @extend_schema(
        operation_id="join_tokens_create",
        request=JoinTokenCreateSerializer,
        responses={201: MadeJoinTokenSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make a command that lets one machine join, once and soon. 409 where no machine could call back."""
        wanted = JoinTokenCreateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            url = join_tokens.base_url(asked=f"{request.scheme}://{request.get_host()}")
        except join_tokens.NotReachable as error:
            raise Conflict(str(error)) from None
        token, text = join_tokens.token_create(
            user=request.user, name=wanted.validated_data["name"], actor=from_request(request)
        )
        token.command = join_tokens.command(url, text)
        return Response(MadeJoinTokenSerializer(token).data, status=201)


class JoinTokenView(View):
    @extend_schema(operation_id="join_tokens_show", responses=JoinTokenSerializer)
    def get(self, request: Request, key: int) -> Response:
        """Whether the machine has joined; ask every two seconds or so until `state` is joined, failed or expired."""
        token = JoinToken.objects.select_related("device").filter(pk=key).first()
        if token is None:
            raise exceptions.NotFound(f"There is no join token {key}.")
        return Response(JoinTokenSerializer(token).data)
