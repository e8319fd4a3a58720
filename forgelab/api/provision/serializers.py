"""The request that provisions a server from a recipe."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from forgelab.api.serializers import StrictSerializer
from forgelab.devices.models import Device
from forgelab.recipes.model import Recipe
from forgelab.recipes.serializers import recipe_config_serializer
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server


class ProvisionSerializer(StrictSerializer):
    """What to provision, under which name, where. Without `device_id` the best device is chosen."""

    server_type = serializers.CharField(max_length=64, help_text="The id of a server type.")
    name = serializers.CharField(max_length=63, trim_whitespace=False, help_text="Lowercase letters, digits, hyphens.")
    device_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    environment = serializers.ChoiceField(
        choices=Server.Environment.choices, required=False, default="", allow_blank=True,
        help_text="Without one, what a new server's name ends with, else production.",
    )  # fmt: skip
    config = serializers.DictField(required=False, default=dict, help_text="The server type's options.")

    def validate_device_id(self, key: UUID | None) -> Device | None:
        """The device itself. Raises `ValidationError`."""
        device = Device.objects.filter(pk=key).first() if key else None
        if key and device is None:
            raise serializers.ValidationError(f"There is no device {key}.")
        return device


class _ServerTypes(dict[str, type[serializers.Serializer[Any]]]):
    """Looks for each schema which server types there are; a function would be asked once in a process's life."""

    def items(self) -> Any:
        return _provision_serializers().items()


def provision_request() -> PolymorphicProxySerializer:
    """The request's schema: `config` has the options of the chosen server type."""
    return PolymorphicProxySerializer(
        component_name="Provision", serializers=_ServerTypes(), resource_type_field_name="server_type"
    )


def _provision_serializers() -> dict[str, type[serializers.Serializer[Any]]]:
    return {recipe.id: _provision_serializer(recipe) for recipe in recipe_catalog().recipes.values()}


def _provision_serializer(recipe: Recipe) -> type[serializers.Serializer[Any]]:
    config = recipe_config_serializer(recipe)
    name = "Provision" + config.__name__.removesuffix("ConfigSerializer")
    return type(name, (ProvisionSerializer,), {"__doc__": recipe.tagline, "config": config(required=False)})
