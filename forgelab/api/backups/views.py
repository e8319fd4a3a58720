"""Backups of a server's databases: made, listed, restored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.accounts.actors import from_request
from forgelab.api.base import StrictSerializer, View, choice, find
from forgelab.api.errors import Conflict
from forgelab.api.runs.views import AcceptedSerializer, accepted
from forgelab.databases import backups
from forgelab.devices.ssh import DeviceUnreachable
from forgelab.servers import selectors


class BackupSerializer(serializers.Serializer[Any]):
    """One backup of one database. `damaged` says why it cannot be restored."""

    id = serializers.CharField()
    database = serializers.CharField(help_text="`(accounts)` for the database server's accounts and their rights.")
    engine = serializers.CharField(help_text="postgresql or mysql.")
    version = serializers.CharField(help_text="Of the server that it was made of, such as PostgreSQL 15.4.")
    finished_at = serializers.DateTimeField()
    size_bytes = serializers.IntegerField()
    seconds = serializers.FloatField()
    verified = serializers.BooleanField()
    damaged = serializers.CharField()


class LastBackupSerializer(serializers.Serializer[Any]):
    """The last time that every database was saved and verified."""

    id = serializers.CharField()
    finished_at = serializers.DateTimeField()
    size_bytes = serializers.IntegerField()
    databases = serializers.ListField(child=serializers.CharField())


class BackupsSerializer(serializers.Serializer[Any]):
    """A server's backups, newest first."""

    results = BackupSerializer(many=True)
    last = LastBackupSerializer(allow_null=True)
    timer = serializers.DictField(
        help_text="How the nightly backup went, and when the next is due, in systemd's words."
    )
    read_at = serializers.DateTimeField(allow_null=True, help_text="When the device was last asked.")


class BackUpSerializer(StrictSerializer):
    """Which databases to back up; all of them when left out."""

    databases = serializers.ListField(child=serializers.CharField(max_length=64), default=list)


class RestoreSerializer(StrictSerializer):
    """What to restore. `confirm` is the server's name; what is there now is kept under a dated name."""

    database = serializers.CharField(max_length=64, trim_whitespace=False)
    at = serializers.CharField(default="", allow_blank=True, help_text="Id of the backup; empty for the newest.")
    into = serializers.CharField(
        default="", allow_blank=True, max_length=64, help_text="A new database to restore into, instead of replacing."
    )
    engine = serializers.CharField(default="", allow_blank=True, help_text="postgresql or mysql, where both have it.")
    confirm = serializers.CharField(help_text="The server's name, typed once more.")


class BackUpView(View):
    @extend_schema(operation_id="servers_backup", request=BackUpSerializer, responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Back up the server's databases now. Answers at once; follow the run."""
        server = find(selectors.server_list(), "server", key)
        wanted = BackUpSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return accepted(
            backups.backup_create(server=server, actor=from_request(request), **wanted.validated_data), request
        )


class BackupListView(View):
    @extend_schema(
        operation_id="servers_backups",
        parameters=[
            OpenApiParameter("refresh", str, enum=["true", "false"], description="Ask the device; else what is known.")
        ],
        responses=BackupsSerializer,
    )
    def get(self, request: Request, key: UUID) -> Response:
        """The server's backups. With `refresh=true` the device is asked; 409 when it does not answer."""
        server = find(selectors.server_list().select_related("device__identity"), "server", key)
        if choice(request, "refresh", ["true", "false"]) == "true":
            try:
                backups.backups_refresh(server=server)
            except (DeviceUnreachable, ValidationError) as error:
                raise Conflict(" ".join(getattr(error, "messages", [str(error)]))) from None
        known, read_at = backups.backups_known(server)
        found = {"results": known.backups, "last": known.complete, "timer": known.timer or {}, "read_at": read_at}
        return Response(BackupsSerializer(found).data)


class RestoreView(View):
    @extend_schema(operation_id="servers_restore", request=RestoreSerializer, responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Restore a database from a backup. Answers at once; follow the run."""
        server = find(selectors.server_list(), "server", key)
        wanted = RestoreSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return accepted(
            backups.backup_restore(server=server, actor=from_request(request), **wanted.validated_data), request
        )
