from __future__ import annotations

from datetime import date

import jsonschema
import pytest

from forgelab.recipes.model import Recipe
from forgelab.recipes.schema import recipe_json_schema


def test_it_is_a_valid_schema(recipe: Recipe) -> None:
    jsonschema.Draft202012Validator.check_schema(recipe_json_schema(recipe))


@pytest.mark.parametrize(
    "wrong", [{"php_version": "7.4"}, {"php_workers": 0}, {"include_redis": 1}, {"domain": "a b"}, {"other": 1}]
)
def test_it_refuses_what_the_recipe_refuses(recipe: Recipe, wrong: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, recipe_json_schema(recipe))


def test_it_carries_labels_help_and_defaults(recipe: Recipe) -> None:
    described = recipe_json_schema(recipe)["properties"]["php_version"]
    assert {key: value for key, value in described.items() if key != "x-choices"} == {
        "title": "PHP Version",
        "description": "Which PHP.",
        "default": "8.3",
        "type": "string",
        "enum": ["8.1", "8.2", "8.3"],
    }


def test_versions_carry_their_support_and_who_offers_them(recipe: Recipe) -> None:
    properties = recipe_json_schema(recipe)["properties"]
    newest = properties["php_version"]["x-choices"][-1]
    assert newest == {
        "value": "8.3",
        "label": "PHP 8.3",
        "support_ends": "2027-12-31",
        "end_of_life": date.today() > date(2027, 12, 31),
        "sources": ["Ubuntu 24.04", "deb.sury.org"],
    }
    assert "x-choices" not in properties["database_engine"]
