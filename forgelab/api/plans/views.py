"""A server that is there: planned, changed, compared with its plan, taken down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.accounts.actors import from_request
from forgelab.api.base import StrictSerializer, View, find
from forgelab.api.errors import Conflict
from forgelab.api.runs.views import AcceptedSerializer, accepted
from forgelab.api.servers import views as servers
from forgelab.runs.models import Run
from forgelab.runs.selectors import run_list
from forgelab.servers import selectors
from forgelab.servers.changes import drift, dry_run, reports
from forgelab.servers.kinds import PLAN
from forgelab.servers.provisioning import services
from forgelab.servers.removal import decommission


class ConfirmSerializer(StrictSerializer):
    """What must be said where something may be lost."""

    confirm = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="The server's name, where a database goes."
    )
    without_backup = serializers.CharField(
        required=False, allow_blank=True, default="",
        help_text="For a database without a verified backup of the last day; the refusal tells which sentence.",
    )  # fmt: skip
    purge = serializers.BooleanField(
        required=False, default=False, help_text="Remove the packages with their data as well."
    )


class PlanRequestSerializer(StrictSerializer):
    config = serializers.DictField(required=False, default=dict, help_text="Options as if they were so; others stay.")


class ChangeSerializer(ConfirmSerializer):
    """The options to change and to apply; all others stay. `drift_watch` alone makes no run."""

    config = serializers.DictField(required=False, help_text="Options to change.")
    drift_watch = serializers.BooleanField(required=False, help_text="Compare it with its plan every day.")


class DecommissionSerializer(ConfirmSerializer):
    confirm = serializers.CharField(help_text="The server's name.")
    forget = serializers.BooleanField(
        required=False, default=False, help_text="Do not touch the device, because it is gone."
    )


class ChangeItemSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="file, package, service to start, firewall rule, command, ...")
    what = serializers.CharField()
    diff = serializers.CharField(help_text="Unified, secrets masked; empty where there is none.")


class StepChangesSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    title = serializers.CharField()
    changes = ChangeItemSerializer(many=True)
    handlers = serializers.ListField(child=serializers.CharField(), help_text="What would follow, such as a restart.")
    more = serializers.BooleanField(help_text="More may follow, known only once packages are there and services run.")


class PlanSerializer(serializers.Serializer[Any]):
    """What a plan found. Nothing of it has been done."""

    summary = serializers.CharField(help_text="`No changes`, or `7 changes in 3 steps`.")
    count = serializers.IntegerField()
    steps = StepChangesSerializer(many=True)
    options = serializers.DictField(help_text="Options that differ from the server's: `from` and `to`.")
    applicable = serializers.BooleanField()
    why_not = serializers.CharField()
    takes_database = serializers.BooleanField(help_text="Applying it needs `confirm`, and a backup.")


class ServerView(servers.ServerView):
    @extend_schema(operation_id="servers_change", request=ChangeSerializer, responses={202: AcceptedSerializer})
    def patch(self, request: Request, key: UUID) -> Response:
        """Change options and apply them: answers at once with the run. 200 and the server where only noted here."""
        server = find(selectors.server_list(), "server", key)
        wanted = ChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        chosen = dict(wanted.validated_data)
        watch, config = chosen.pop("drift_watch", None), chosen.pop("config", None)
        if watch is None and config is None:
            raise exceptions.ValidationError({"config": ['Give options to change, such as {"php_version": "8.2"}.']})
        run = None
        if config is not None:
            run = services.server_change(server=server, changes=config, actor=from_request(request), **chosen)
        if watch is not None:
            drift.server_watch(server=server, watch=watch, actor=from_request(request))
        return accepted(run, request) if run else self.get(request, key)

    @extend_schema(operation_id="servers_decommission", request=DecommissionSerializer,
                   responses={202: AcceptedSerializer, 204: None})  # fmt: skip
    def delete(self, request: Request, key: UUID) -> Response:
        """Take the server down: answers at once with the run. With `forget` only the record goes (204)."""
        server = find(selectors.server_list(), "server", key)
        wanted = DecommissionSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        chosen = dict(wanted.validated_data)
        if chosen.pop("forget"):
            decommission.server_forget(server=server, confirm=chosen["confirm"], actor=from_request(request))
            return Response(status=status.HTTP_204_NO_CONTENT)
        return accepted(decommission.server_decommission(server=server, actor=from_request(request), **chosen), request)


class PlanView(View):
    @extend_schema(operation_id="servers_plan", request=PlanRequestSerializer, responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Ask what would change, changing nothing. Follow the run, then read `runs/{id}/plan`."""
        server = find(selectors.server_list(), "server", key)
        wanted = PlanRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        changes = wanted.validated_data["config"]
        return accepted(dry_run.server_check(server=server, changes=changes, actor=from_request(request)), request)


class DriftView(View):
    @extend_schema(operation_id="servers_drift", request=None, responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Compare the device with the server's plan now. The server's `drift` tells the result."""
        server = find(selectors.server_list(), "server", key)
        return accepted(dry_run.server_check(server=server, actor=from_request(request)), request)


class PlanResultView(View):
    @extend_schema(operation_id="runs_plan", responses=PlanSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """What a plan found."""
        return Response(PlanSerializer(reports.plan_result(run=_plan(key))).data)


class ApplyView(View):
    @extend_schema(operation_id="runs_apply", request=ConfirmSerializer, responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Provision exactly what this plan has shown; 409 when it is no longer what would happen."""
        wanted = ConfirmSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            run = dry_run.server_apply(run=_plan(key), actor=from_request(request), **wanted.validated_data)
        except ValidationError as error:
            if "plan" in getattr(error, "error_dict", {}):
                raise Conflict(" ".join(error.messages)) from None
            raise
        return accepted(run, request)


def _plan(key: UUID) -> Run:
    return find(run_list().of_kind(PLAN), "plan", key)
