"""What a request to place servers may say."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from forgelab.api.devices.lookup import DeviceField
from forgelab.api.serializers import OneOfField, StrictSerializer
from forgelab.lib.problems import not_one_of
from forgelab.recipes.model import Recipe
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.placement.set_constraints import KINDS
from forgelab.servers.placement.set_requests import LIMIT


@extend_schema_field(OpenApiTypes.STR)
class RecipeField(serializers.Field[Any, Any, Any, Any]):
    """A recipe by the id of its server type."""

    def to_internal_value(self, data: str) -> Recipe:
        """Raises `ValidationError`."""
        recipes = recipe_catalog().recipes
        if data not in recipes:
            raise serializers.ValidationError(f"{not_one_of(data, recipes)}.")
        return recipes[data]

    def fail(self, key: str, **more: Any) -> Any:
        if key == "required":
            raise serializers.ValidationError(f"Give one of {', '.join(recipe_catalog().recipes)}.")
        super().fail(key, **more)


class RankingQuerySerializer(serializers.Serializer[Any]):
    server_type = RecipeField(help_text="The id of a server type.")
    name = serializers.CharField(
        max_length=63,
        required=False,
        allow_blank=True,
        help_text="The server's name, if it is known: the servers near it count then.",
    )
    environment = OneOfField(Server.Environment.values, required=False)


class WhatIfQuerySerializer(serializers.Serializer[Any]):
    device = DeviceField(help_text="Id or name of a device.")


class RequestedServersSerializer(StrictSerializer):
    """Servers of one type to place."""

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
    servers = RequestedServersSerializer(many=True, max_length=LIMIT)
    constraints = ConstraintSerializer(many=True, required=False, default=list, max_length=LIMIT)
