"""Placement: the ranking of devices, places for a whole set, and what if a device were gone."""

from __future__ import annotations

import dataclasses
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.devices.serializers import DeviceBriefSerializer
from forgelab.api.placement.requests import RankingQuerySerializer, SetSerializer, WhatIfQuerySerializer
from forgelab.api.placement.serializers import PlacementSerializer, ScoreSerializer
from forgelab.api.views import View
from forgelab.devices.models import Device
from forgelab.devices.placement import Constraint, Placement, Score
from forgelab.servers.placement import ranking, sets
from forgelab.servers.placement.set_requests import SetRequest
from forgelab.servers.spec.server_spec import draft


class PlacementView(View):
    actions = {"GET": "placement.rank"}
    query_serializer_class = RankingQuerySerializer

    @extend_schema(operation_id="placement", parameters=[RankingQuerySerializer], responses=ScoreSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every device with its score for a server type, best first."""
        wanted = self.parameters()
        devices = Device.objects.in_bulk(field_name="name")
        scores = ranking.placement_rank(draft(wanted.pop("server_type"), **wanted))
        return Response([_score(score, devices[score.name]) for score in scores if score.name in devices])


class SetView(View):
    actions = {"POST": "placement.rank"}
    serializer_class = SetSerializer

    @extend_schema(operation_id="placement_sets", responses=PlacementSerializer)
    def post(self, request: Request) -> Response:
        """Places for a whole set of servers. Nothing is made by it."""
        wanted = self.body()
        found = sets.set_place(
            requests=[SetRequest(**each) for each in wanted["servers"]],
            constraints=[
                Constraint(each["kind"], tuple(each["servers"]), each["device"]) for each in wanted["constraints"]
            ],
        )
        return Response(_placement(found))


class WhatIfView(View):
    actions = {"GET": "placement.rank"}
    query_serializer_class = WhatIfQuerySerializer

    @extend_schema(operation_id="placement_what_if", parameters=[WhatIfQuerySerializer], responses=PlacementSerializer)
    def get(self, request: Request) -> Response:
        """Where each of a device's servers would fit if the device were gone."""
        return Response(_placement(sets.device_without(**self.parameters()).placement))


def _score(score: Score, device: Device) -> dict[str, Any]:
    return {
        "device": DeviceBriefSerializer(device).data,
        "points": score.points,
        "fits": score.fits,
        "reasons": score.reasons,
        "refusals": score.refusals,
    }


def _placement(found: Placement) -> dict[str, Any]:
    devices = Device.objects.in_bulk([each.device for each in found.choices], field_name="name")
    return {
        "complete": found.complete,
        "best": found.best,
        "choices": [
            {
                "name": each.name,
                "device": DeviceBriefSerializer(devices[each.device]).data,
                "points": each.score.points,
                "reasons": each.score.reasons,
            }
            for each in found.choices
        ],
        "missing": [dataclasses.asdict(each) for each in found.missing],
    }
