from __future__ import annotations

import pytest
from django.http import QueryDict

from forgelab.recipes.model import Recipe
from forgelab.recipes.serializers import recipe_config_serializer


def test_valid_data_becomes_the_complete_config(recipe: Recipe) -> None:
    serializer = recipe_config_serializer(recipe)(data={"php_version": "8.2"})
    assert serializer.is_valid()
    assert serializer.validated_data == recipe.clean({"php_version": "8.2"})


def test_json_is_taken_strictly_and_every_wrong_field_is_named(recipe: Recipe) -> None:
    serializer = recipe_config_serializer(recipe)(data={"include_redis": "true", "php_workers": "7", "other": 1})
    assert not serializer.is_valid()
    assert {name: str(errors[0]) for name, errors in serializer.errors.items()} == {
        "include_redis": 'must be true or false, not "true"',
        "php_workers": 'must be a whole number from 1 to 100, not "7"',
        "other": "is not an option of this recipe; there are php_version, database_engine, include_redis, "
        "php_workers, domain",
    }


def test_a_submitted_form_carries_texts(recipe: Recipe) -> None:
    serializer = recipe_config_serializer(recipe)(data=QueryDict("include_redis=false&php_workers=7"))
    assert serializer.is_valid(), serializer.errors
    assert (serializer.validated_data["include_redis"], serializer.validated_data["php_workers"]) == (False, 7)


@pytest.mark.parametrize("data", [[], "x", 3])
def test_what_is_no_object_is_refused(recipe: Recipe, data: object) -> None:
    assert not recipe_config_serializer(recipe)(data=data).is_valid()


def test_the_fields_describe_the_options(recipe: Recipe) -> None:
    fields = recipe_config_serializer(recipe)().fields
    assert list(fields) == [option.name for option in recipe.options]
    assert fields["php_workers"].max_value == 100
    assert fields["php_version"].choices == {"8.1": "PHP 8.1", "8.2": "PHP 8.2", "8.3": "PHP 8.3"}
    assert fields["php_version"].default == "8.3"
