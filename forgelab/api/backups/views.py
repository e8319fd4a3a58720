"""Backups of a server's databases: made, listed, restored."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.backups.serializers import (
    BackUpSerializer,
    BackupsQuerySerializer,
    BackupsSerializer,
    RestoreSerializer,
)
from forgelab.api.errors import conflict_on
from forgelab.api.runs.accepted import accepted
from forgelab.api.runs.serializers import AcceptedSerializer
from forgelab.api.views import View
from forgelab.databases import backups
from forgelab.devices.ssh import DeviceUnreachable
from forgelab.servers import selectors


class BackUpView(View):
    actions = {"POST": "backup.create"}
    queryset = selectors.server_list()
    serializer_class = BackUpSerializer

    @extend_schema(operation_id="servers_backup", responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Back up the server's databases now. Answers at once; follow the run."""
        server = self.get_object()
        return accepted(backups.backup_create(server=server, actor=self.actor, **self.body()), request)


class BackupListView(View):
    queryset = selectors.server_list().select_related("device__identity")
    query_serializer_class = BackupsQuerySerializer

    @extend_schema(operation_id="servers_backups", parameters=[BackupsQuerySerializer], responses=BackupsSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """The server's backups. With `refresh=true` the device is asked; 409 when it does not answer."""
        server = self.get_object()
        if self.parameters().get("refresh") == "true":
            with conflict_on(DeviceUnreachable, ValidationError):
                backups.backup_refresh(server=server, actor=self.actor)
        known, read_at = backups.backups_known(server)
        found = {"results": known.backups, "last": known.complete, "timer": known.timer or {}, "read_at": read_at}
        return Response(BackupsSerializer(found).data)


class RestoreView(View):
    actions = {"POST": "backup.restore"}
    queryset = selectors.server_list()
    serializer_class = RestoreSerializer

    @extend_schema(operation_id="servers_restore", responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Restore a database from a backup. Answers at once; follow the run."""
        server = self.get_object()
        return accepted(backups.backup_restore(server=server, actor=self.actor, **self.body()), request)
