"""Recipes as the API describes them, and the request that provisions from one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from forgelab.api.base import StrictSerializer
from forgelab.recipes.model import Recipe
from forgelab.recipes.schema import recipe_json_schema
from forgelab.recipes.serializers import recipe_config_serializer
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server


class AmountSerializer(serializers.Serializer[Any]):
    minimum = serializers.IntegerField()
    recommended = serializers.IntegerField()


class RequirementsSerializer(serializers.Serializer[Any]):
    """What a device must have: memory and storage in MiB, processor cores; distributions by their oldest version."""

    memory_mb = AmountSerializer()
    storage_mb = AmountSerializer()
    cores = AmountSerializer()
    distributions = serializers.DictField(child=serializers.CharField(), help_text="Empty: what ForgeLab supports.")
    architectures = serializers.ListField(child=serializers.CharField(), help_text="Empty: any.")


class RecipeComponentSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="role.name")
    title = serializers.CharField(source="role.title")
    when = serializers.CharField(help_text="The options that bring it in; empty when it always comes.")


class ServerTypeSerializer(serializers.Serializer[Any]):
    """A recipe: what it installs, what it asks for, and its options as JSON Schema."""

    id = serializers.CharField()
    name = serializers.CharField()
    tagline = serializers.CharField()
    description = serializers.CharField()
    category = serializers.CharField()
    requirements = RequirementsSerializer()
    components = RecipeComponentSerializer(many=True)
    options = serializers.SerializerMethodField(help_text="JSON Schema (2020-12) of `config`.")

    def get_options(self, recipe: Recipe) -> dict[str, Any]:
        return recipe_json_schema(recipe)


class ProblemSerializer(serializers.Serializer[Any]):
    """One mistake in a recipe: the key that is wrong, the line where it stands, and what is allowed."""

    key = serializers.CharField(source="path", help_text="Empty for the file as a whole.")
    line = serializers.IntegerField(allow_null=True)
    message = serializers.CharField()


class RecipeReportSerializer(serializers.Serializer[Any]):
    """A file in the folder of recipes that gave no server type."""

    file = serializers.CharField(help_text="Its path below the folder of recipes.")
    problems = ProblemSerializer(many=True)


class ServerTypesSerializer(serializers.Serializer[Any]):
    """The server types, and the recipes of your own that cannot be used."""

    results = ServerTypeSerializer(many=True)
    problems = RecipeReportSerializer(many=True)


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
