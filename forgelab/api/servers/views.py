"""Servers: listed, shown, changed, decommissioned; their credentials."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.runs.accepted import accepted
from forgelab.api.runs.serializers import AcceptedSerializer
from forgelab.api.servers.filters import ServerFilterSet
from forgelab.api.servers.requests import ChangeSerializer, DecommissionSerializer
from forgelab.api.servers.serializers import CredentialsSerializer, ServerDetailSerializer, ServerSerializer
from forgelab.api.views import ListView, View
from forgelab.servers import selectors
from forgelab.servers.changes import drift
from forgelab.servers.credentials import server_reveal_credentials
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.servers.removal import decommission


class ServerListView(ListView):
    queryset = selectors.server_list()
    serializer_class = ServerSerializer
    filterset_class = ServerFilterSet
    ordering = "name"

    @extend_schema(operation_id="servers_list")
    def get(self, request: Request) -> Response:
        """All servers by name."""
        return self.list(request)


class ServerView(View):
    actions = {"PATCH": "server.change", "DELETE": "server.decommission"}
    queryset = selectors.server_list()

    def get_serializer_class(self) -> type[Any]:
        requests = {"PATCH": ChangeSerializer, "DELETE": DecommissionSerializer}
        return requests.get(str(self.request.method), ServerDetailSerializer)

    @extend_schema(operation_id="servers_show", responses=ServerDetailSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """One server with its components, its latest run and its recipe's messages."""
        return self._shown(self.get_object())

    @extend_schema(operation_id="servers_change", request=ChangeSerializer, responses={202: AcceptedSerializer})
    def patch(self, request: Request, key: UUID) -> Response:
        """Change options and apply them: answers at once with the run. 200 and the server where only noted here."""
        server, wanted = self.get_object(), self.body()
        watch, config = wanted.pop("drift_watch", None), wanted.pop("config", None)
        if watch is None and config is None:
            raise exceptions.ValidationError({"config": ['Give options to change, such as {"php_version": "8.2"}.']})
        run = None
        if config is not None:
            run = services.server_change(server=server, changes=config, actor=self.actor, **wanted)
        if watch is not None:
            drift.server_daily_check(server=server, enabled=watch, actor=self.actor)
        return accepted(run, request) if run else self._shown(self.get_object())

    @extend_schema(operation_id="servers_decommission", request=DecommissionSerializer,
                   responses={202: AcceptedSerializer, 204: None})  # fmt: skip
    def delete(self, request: Request, key: UUID) -> Response:
        """Take the server down: answers at once with the run. With `forget` only the record goes (204)."""
        server, wanted = self.get_object(), self.body()
        if wanted.pop("forget"):
            decommission.server_forget(server=server, confirm=wanted["confirm"], actor=self.actor)
            return Response(status=status.HTTP_204_NO_CONTENT)
        return accepted(decommission.server_decommission(server=server, actor=self.actor, **wanted), request)

    def _shown(self, server: Server) -> Response:
        return Response(ServerDetailSerializer(server, context=self.get_serializer_context()).data)


class CredentialsView(View):
    actions = {"GET": "server.reveal_credentials"}
    queryset = selectors.server_list()

    @extend_schema(operation_id="servers_credentials", responses=CredentialsSerializer(many=True))
    def get(self, request: Request, key: UUID) -> Response:
        """The server's credentials in clear. Who asked is recorded."""
        shown = server_reveal_credentials(server=self.get_object(), actor=self.actor)
        return Response(shown, headers={"Cache-Control": "no-store"})
