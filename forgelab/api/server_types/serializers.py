"""Recipes as the API describes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from forgelab.recipes.model import Recipe
from forgelab.recipes.schema import recipe_json_schema


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
    parts = serializers.ListField(
        child=serializers.CharField(), help_text="What it consists of, such as PHP's extensions; mostly empty."
    )


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
