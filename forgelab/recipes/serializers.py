"""A REST framework serializer made from a recipe's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from forgelab.recipes.model import Recipe
from forgelab.recipes.options import MAX_LENGTH, Option
from forgelab.recipes.problems import ConfigInvalid, quoted
from forgelab.recipes.reader import kind_of


class RecipeConfigSerializer(serializers.Serializer):  # type: ignore[misc]
    """`validated_data` is the recipe's complete config. Its fields describe; `recipe.clean` alone decides."""

    recipe: Recipe

    def to_internal_value(self, data: Any) -> dict[str, object]:
        """Raises ValidationError with every wrong field, unknown ones included."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(f"must be an object with options, not {kind_of(data)} {quoted(data)}")
        try:
            # A submitted HTML form carries texts only; JSON carries types, which are taken strictly.
            return self.recipe.clean_text(data.dict()) if hasattr(data, "dict") else self.recipe.clean(data)
        except ConfigInvalid as invalid:
            raise serializers.ValidationError({name: [text] for name, text in invalid.errors.items()}) from None


def recipe_config_serializer(recipe: Recipe) -> type[RecipeConfigSerializer]:
    """The serializer for this recipe's config, named after it in the API's schema."""
    # `shop-2` and `shop2` must not become one component of the schema.
    parts = (part.capitalize() if part[0].isalpha() else f"_{part}" for part in recipe.id.split("-"))
    name = "".join(parts) + "ConfigSerializer"
    fields: dict[str, object] = {option.name: _field(option) for option in recipe.options}
    return type(name, (RecipeConfigSerializer,), {"recipe": recipe, **fields})


def _field(option: Option) -> serializers.Field:
    common: dict[str, Any] = {"label": option.label, "help_text": option.help, "required": option.required}
    if not option.required:
        common["default"] = option.default
    if option.kind == "boolean":
        return serializers.BooleanField(**common)
    if option.kind == "select":
        return serializers.ChoiceField(choices=[(choice.value, choice.label) for choice in option.choices], **common)
    if option.kind == "integer":
        return serializers.IntegerField(min_value=option.minimum, max_value=option.maximum, **common)
    return serializers.CharField(max_length=MAX_LENGTH, allow_blank=not option.required, **common)
