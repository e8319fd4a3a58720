"""A recipe's options as JSON Schema (2020-12), for API documentation and editors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from forgelab.lib.names import SLUG
from forgelab.recipes.conditions import Condition
from forgelab.recipes.labels import choice_details
from forgelab.recipes.lists import LIMIT, NETWORK_LENGTH
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import INTEGER_LIMIT, LISTS, MAX_LENGTH, Option


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
    if required := [option.name for option in recipe.options if option.required and not option.visible_if.terms]:
        schema["required"] = required
    if conditions := [_required_if(recipe, option) for option in recipe.options if _depends(option)]:
        schema["allOf"] = conditions
    return schema


def _depends(option: Option) -> bool:
    return option.required and bool(option.visible_if.terms)


def _required_if(recipe: Recipe, option: Option) -> dict[str, Any]:
    """A hidden option need not be answered, one that is shown must be."""
    shown = [_holds(recipe, name, wanted) for name, wanted in _all_terms(recipe, option)]
    return {"if": {"allOf": shown}, "then": {"required": [option.name]}}


def _all_terms(recipe: Recipe, option: Option) -> Iterator[tuple[str, tuple[object, ...]]]:
    """The option's own condition, and those of the options that it depends on."""
    for name, wanted in option.visible_if.terms:
        yield name, wanted
        yield from _all_terms(recipe, recipe.option(name))


def _holds(recipe: Recipe, name: str, wanted: tuple[object, ...]) -> dict[str, Any]:
    option = recipe.option(name)
    if option.kind in LISTS:
        values: dict[str, Any] = {"minItems": 1} if True in wanted else {"maxItems": 0}
        values = {} if {True, False} <= set(wanted) else values
    elif option.kind in ("server", "string") and {True, False} & set(wanted):
        values = {"enum": [""]} if True not in wanted else {} if False in wanted else {"minLength": 1}
    else:
        values = {"enum": list(wanted)}
    # Left out, an option has its default.
    holds_by_default = Condition(((name, wanted),)).holds({name: option.initial})
    return {"properties": {name: values}, **({} if holds_by_default else {"required": [name]})}


def _property(option: Option) -> dict[str, Any]:
    described: dict[str, Any] = {"title": option.label}
    if text := " ".join(filter(None, (option.help, applies(option)))):
        described["description"] = text
    if option.visible_if.terms:
        described["x-visible-if"] = {name: list(wanted) for name, wanted in option.visible_if.terms}
    if not option.required:
        described["default"] = option.initial
    return described | _type(option)


def applies(option: Option) -> str:
    """When an option has an effect, as a sentence; "" for always."""
    return f"Only if {option.visible_if}." if option.visible_if.terms else ""


def _type(option: Option) -> dict[str, Any]:
    if option.kind == "boolean":
        return {"type": "boolean"}
    if option.kind == "select":
        return {"type": "string", "enum": list(option.values), **_versions(option)}
    if option.kind == "integer":
        minimum = -INTEGER_LIMIT if option.minimum is None else option.minimum
        maximum = INTEGER_LIMIT if option.maximum is None else option.maximum
        return {"type": "integer", "minimum": minimum, "maximum": maximum}
    if option.kind in LISTS:
        return {"type": "array", "items": _item(option), "maxItems": LIMIT, **_server_types(option)}
    if option.kind == "server":
        return {"type": "string", "pattern": f"^(?:{SLUG.pattern})?$", **_server_types(option)}
    return {"type": "string", "maxLength": MAX_LENGTH, **_pattern(option)}


def _item(option: Option) -> dict[str, Any]:
    if option.kind == "servers":
        return {"type": "string", "pattern": f"^(?:{SLUG.pattern})$"}
    return {"type": "string", "maxLength": NETWORK_LENGTH}


def _versions(option: Option) -> dict[str, Any]:
    """Of versions, until when each is supported and who offers it."""
    about = [choice_details(option, choice, date.today()) for choice in option.choices]
    return {"x-choices": about} if any("sources" in details for details in about) else {}


def _server_types(option: Option) -> dict[str, Any]:
    return {"x-server-types": list(option.server_types)} if option.server_types else {}


def _pattern(option: Option) -> dict[str, str]:
    if not option.pattern:
        return {}
    return {"pattern": f"^(?:{option.pattern})$" if option.required else f"^(?:{option.pattern})?$"}
