"""A REST framework serializer made from a recipe's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from forgelab.lib.problems import ConfigInvalid, quoted
from forgelab.lib.reader import kind_of
from forgelab.recipes.lists import LIMIT, NETWORK_LENGTH, joined
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import LISTS, MAX_LENGTH, Option
from forgelab.recipes.schema import applies


class RecipeConfigSerializer(serializers.Serializer):  # type: ignore[misc]
    """`validated_data` is the recipe's complete config. Its fields describe; `recipe.clean` alone decides."""

    recipe: Recipe

    def to_internal_value(self, data: Any) -> dict[str, object]:
        """Raises ValidationError with every wrong field, unknown ones included."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(f"must be an object with options, not {kind_of(data)} {quoted(data)}")
        try:
            # A submitted HTML form carries texts only; JSON carries types, which are taken strictly.
            return self.recipe.clean_text(_texts(data)) if hasattr(data, "getlist") else self.recipe.clean(data)
        except ConfigInvalid as invalid:
            raise serializers.ValidationError({name: [text] for name, text in invalid.errors.items()}) from None


def recipe_config_serializer(recipe: Recipe) -> type[RecipeConfigSerializer]:
    """The serializer for this recipe's config, named after it in the API's schema."""
    # `shop-2` and `shop2` must not become one component of the schema.
    parts = (part.capitalize() if part[0].isalpha() else f"_{part}" for part in recipe.id.split("-"))
    name = "".join(parts) + "ConfigSerializer"
    fields: dict[str, object] = {option.name: _field(option) for option in recipe.options}
    return type(name, (RecipeConfigSerializer,), {"recipe": recipe, **fields})


def _texts(form: Any) -> dict[str, str]:
    """A field that was sent several times is a list of several names."""
    return {name: joined(form.getlist(name)) for name in form}


def _field(option: Option) -> serializers.Field:
    needed = option.required and not option.visible_if.terms
    help_text = " ".join(filter(None, (option.help, applies(option))))
    common: dict[str, Any] = {"label": option.label, "help_text": help_text, "required": needed}
    if not option.required:
        common["default"] = option.initial
    if option.kind == "boolean":
        return serializers.BooleanField(**common)
    if option.kind == "select":
        return serializers.ChoiceField(choices=[(choice.value, choice.label) for choice in option.choices], **common)
    if option.kind == "integer":
        return serializers.IntegerField(min_value=option.minimum, max_value=option.maximum, **common)
    if option.kind in LISTS:
        return serializers.ListField(child=serializers.CharField(max_length=NETWORK_LENGTH), max_length=LIMIT, **common)
    return serializers.CharField(max_length=MAX_LENGTH, allow_blank=not option.required, **common)
