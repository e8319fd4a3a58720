"""Devices that join by themselves: the command to run on them, and its result."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.generics import RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.errors import conflict_on
from forgelab.api.join_tokens.serializers import (
    JoinTokenCreateSerializer,
    JoinTokenSerializer,
    MadeJoinTokenSerializer,
)
from forgelab.api.views import View
from forgelab.devices import join_tokens
from forgelab.devices.models import JoinToken


class JoinTokenListView(View):
    actions = {"POST": "device.join"}
    serializer_class = JoinTokenCreateSerializer

    @extend_schema(operation_id="join_tokens_create", responses={201: MadeJoinTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make a command that lets one machine join, once and soon. 409 where no machine could call back."""
        wanted = self.body()
        with conflict_on(join_tokens.NotReachable):
            url = join_tokens.base_url(asked=f"{request.scheme}://{request.get_host()}")
        token, text = join_tokens.token_create(user=request.user, name=wanted["name"], actor=self.actor)
        token.command = join_tokens.command(url, text)
        return Response(MadeJoinTokenSerializer(token).data, status=201)


class JoinTokenView(View, RetrieveAPIView[JoinToken]):
    queryset = JoinToken.objects.select_related("device")
    serializer_class = JoinTokenSerializer

    @extend_schema(operation_id="join_tokens_show")
    def get(self, request: Request, key: int) -> Response:
        """Whether the machine has joined; ask every two seconds or so until `state` is joined, failed or expired."""
        return self.retrieve(request)
