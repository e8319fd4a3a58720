from __future__ import annotations

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
    assert recipe_json_schema(recipe)["properties"]["php_version"] == {
        "title": "PHP Version",
        "description": "Which PHP.",
        "default": "8.3",
        "type": "string",
        "enum": ["8.1", "8.2", "8.3"],
    }
