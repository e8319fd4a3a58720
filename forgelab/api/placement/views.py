"""Placement: the ranking of devices, places for a whole set, and what if a device were gone."""

from __future__ import annotations

import dataclasses
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forgelab.api.base import StrictSerializer, View, choice, device_named
from forgelab.api.devices.serializers import DeviceBriefSerializer
from forgelab.devices.models import Device
from forgelab.devices.placement import Constraint, Placement, Score
from forgelab.recipes.model import Recipe
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking, sets
from forgelab.servers.placement.set_constraints import KINDS
from forgelab.servers.placement.set_requests import LIMIT, SetRequest
from forgelab.servers.spec.server_spec import draft

NAME = OpenApiParameter("name", str, description="The server's name, if it is known: its neighbours count then.")
ENVIRONMENT = OpenApiParameter("environment", str, enum=Server.Environment.values)


class ScoreSerializer(serializers.Serializer[Any]):
    """How well a device suits: points from 0 to 100 with reasons, or refusals."""

    device = DeviceBriefSerializer()
    points = serializers.IntegerField()
    fits = serializers.BooleanField()
    reasons = serializers.ListField(child=serializers.CharField())
    refusals = serializers.ListField(child=serializers.CharField())


class PlacementView(View):
    @extend_schema(
        operation_id="placement",
        parameters=[
            OpenApiParameter("server_type", str, required=True, description="The id of a server type."),
            NAME,
            ENVIRONMENT,
        ],
        responses=ScoreSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Every device with its score for a server type, best first."""
        devices = Device.objects.in_bulk(field_name="name")
        spec = draft(
            _recipe(request),
            name=request.query_params.get("name", "")[:63],
            environment=choice(request, "environment", Server.Environment.values) or "",
        )
        scores = ranking.placement_rank(spec)
        return Response([_score(score, devices[score.name]) for score in scores if score.name in devices])


def _score(score: Score, device: Device) -> dict[str, Any]:
    return {
        "device": DeviceBriefSerializer(device).data,
        "points": score.points,
        "fits": score.fits,
        "reasons": score.reasons,
        "refusals": score.refusals,
    }


def _recipe(request: Request) -> Recipe:
    recipes = recipe_catalog().recipes
    wanted = choice(request, "server_type", list(recipes))
    if wanted is None:
        raise exceptions.ValidationError({"server_type": [f"Give one of {', '.join(recipes)}."]})
    return recipes[wanted]


class AskedSerializer(StrictSerializer):
    """Servers of one type that are to be placed."""

    server_type = serializers.CharField(max_length=64, help_text="The id of a server type.")
    name = serializers.CharField(
        max_length=63, required=False, default="", allow_blank=True, help_text="Without one, the type's id."
    )
    environment = serializers.ChoiceField(
        choices=Server.Environment.choices, required=False, default="", allow_blank=True
    )
    config = serializers.DictField(required=False, default=dict, help_text="The server type's options.")
    count = serializers.IntegerField(
        required=False, default=1, min_value=1, max_value=LIMIT, help_text="Several get numbers."
    )


class ConstraintSerializer(StrictSerializer):
    """`together`, `apart` and `spread` (rather apart) take servers, `on` and `not_on` also a device."""

    kind = serializers.ChoiceField(choices=KINDS)
    servers = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, default=list, max_length=LIMIT,
        help_text="Names of servers of the set, or types for all of a type; none: all servers.",
    )  # fmt: skip
    device = serializers.CharField(max_length=63, required=False, default="", help_text="A device's name.")


class SetSerializer(StrictSerializer):
    servers = AskedSerializer(many=True, max_length=LIMIT)
    constraints = ConstraintSerializer(many=True, required=False, default=list, max_length=LIMIT)


class ChoiceSerializer(serializers.Serializer[Any]):
    """Where a server goes, with the score it has there when the rest of the set is in place."""

    name = serializers.CharField()
    device = DeviceBriefSerializer()
    points = serializers.IntegerField()
    reasons = serializers.ListField(child=serializers.CharField())


class MissingSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    reason = serializers.CharField()


class PlacementSerializer(serializers.Serializer[Any]):
    """`best`: there is no better placement; where it is false, none better was found."""

    complete = serializers.BooleanField()
    best = serializers.BooleanField()
    choices = ChoiceSerializer(many=True)
    missing = MissingSerializer(many=True)


class SetView(View):
    @extend_schema(operation_id="placement_sets", request=SetSerializer, responses=PlacementSerializer)
    def post(self, request: Request) -> Response:
        """Places for a whole set of servers. Nothing is made by it."""
        wanted = SetSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        found = sets.set_place(
            requests=[SetRequest(**each) for each in wanted.validated_data["servers"]],
            constraints=[
                Constraint(each["kind"], tuple(each["servers"]), each["device"])
                for each in wanted.validated_data["constraints"]
            ],
        )
        return Response(_placement(found))


class WhatIfView(View):
    @extend_schema(
        operation_id="placement_what_if",
        parameters=[OpenApiParameter("device", str, required=True, description="Id or name of a device.")],
        responses=PlacementSerializer,
    )
    def get(self, request: Request) -> Response:
        """Where each of a device's servers would fit if the device were gone."""
        device = device_named(request)
        if device is None:
            raise exceptions.ValidationError({"device": ["Give a device's id or name."]})
        return Response(_placement(sets.device_without(device=device).placement))


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
