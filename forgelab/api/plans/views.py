"""Plans: what would change on a server, how far it has drifted, and applying what a plan has shown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.errors import Conflict
from forgelab.api.plans.serializers import PlanRequestSerializer, PlanSerializer
from forgelab.api.runs.accepted import accepted
from forgelab.api.runs.serializers import AcceptedSerializer
from forgelab.api.servers.requests import ConfirmSerializer
from forgelab.api.views import View
from forgelab.runs.selectors import run_list
from forgelab.servers import selectors
from forgelab.servers.changes import drift, dry_run, reports
from forgelab.servers.kinds import PLAN
from forgelab.servers.provisioning import services


class PlanView(View):
    actions = {"POST": "server.plan"}
    queryset = selectors.server_list()
    serializer_class = PlanRequestSerializer

    @extend_schema(operation_id="servers_plan", responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Ask what would change, changing nothing. Follow the run, then read `runs/{id}/plan`."""
        server, changes = self.get_object(), self.body()["config"]
        return accepted(dry_run.server_plan(server=server, changes=changes, actor=self.actor), request)


class DriftView(View):
    actions = {"POST": "server.drift_check"}
    queryset = selectors.server_list()

    @extend_schema(operation_id="servers_drift", request=None, responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Compare the device with the server's plan now. The server's `drift` shows the result."""
        return accepted(drift.server_drift_check(server=self.get_object(), actor=self.actor), request)


class OnePlanView(View):
    """A view of one plan, by its run."""

    def get_queryset(self) -> Any:
        return run_list().of_kind(PLAN)

    def noun(self) -> str:
        return "plan"


class PlanResultView(OnePlanView):
    @extend_schema(operation_id="runs_plan", responses=PlanSerializer)
    def get(self, request: Request, key: UUID) -> Response:
        """What a plan found."""
        return Response(PlanSerializer(reports.plan_result(run=self.get_object())).data)


class ApplyView(OnePlanView):
    actions = {"POST": "server.apply"}
    serializer_class = ConfirmSerializer

    @extend_schema(operation_id="runs_apply", responses={202: AcceptedSerializer})
    def post(self, request: Request, key: UUID) -> Response:
        """Provision exactly what this plan has shown; 409 when it is no longer what would happen."""
        wanted = self.body()
        try:
            run = services.server_apply(run=self.get_object(), actor=self.actor, **wanted)
        except ValidationError as error:
            if "plan" in getattr(error, "error_dict", {}):
                raise Conflict(" ".join(error.messages)) from None
            raise
        return accepted(run, request)
