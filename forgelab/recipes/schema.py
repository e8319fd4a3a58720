"""A recipe's options as JSON Schema (2020-12), for API documentation and editors."""

from __future__ import annotations

from typing import Any

from forgelab.recipes.model import Recipe
from forgelab.recipes.options import INTEGER_LIMIT, MAX_LENGTH, Option


def recipe_json_schema(recipe: Recipe) -> dict[str, Any]:
    """Accepts whatever `recipe.clean` accepts; the rules that JSON Schema cannot say are `clean`'s alone."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": recipe.name,
        "description": recipe.tagline,
        "type": "object",
        "additionalProperties": False,
        "properties": {option.name: _property(option) for option in recipe.options},
    }
    if required := [option.name for option in recipe.options if option.required]:
        schema["required"] = required
    return schema


def _property(option: Option) -> dict[str, Any]:
    described: dict[str, Any] = {"title": option.label}
    if option.help:
        described["description"] = option.help
    if not option.required:
        described["default"] = option.default
    return described | _type(option)


def _type(option: Option) -> dict[str, Any]:
    if option.kind == "boolean":
        return {"type": "boolean"}
    if option.kind == "select":
        return {"type": "string", "enum": list(option.values)}
    if option.kind == "integer":
        minimum = -INTEGER_LIMIT if option.minimum is None else option.minimum
        maximum = INTEGER_LIMIT if option.maximum is None else option.maximum
        return {"type": "integer", "minimum": minimum, "maximum": maximum}
    return {"type": "string", "maxLength": MAX_LENGTH, **_pattern(option)}


def _pattern(option: Option) -> dict[str, str]:
    if not option.pattern:
        return {}
    return {"pattern": f"^(?:{option.pattern})$" if option.required else f"^(?:{option.pattern})?$"}
