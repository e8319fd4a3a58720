from __future__ import annotations

import unicodedata

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import Option
from forgelab.recipes.schema import recipe_json_schema

DEFAULTS = {
    "php_version": "8.3",
    "database_engine": "postgresql",
    "include_redis": True,
    "php_workers": 20,
    "domain": "",
}


def errors(recipe: Recipe, **values: object) -> dict[str, str]:
    with pytest.raises(ConfigInvalid) as error:
        recipe.clean(values)
    return error.value.errors


def test_nothing_chosen_gives_the_defaults(recipe: Recipe) -> None:
    assert recipe.clean({}) == DEFAULTS


def test_a_choice_replaces_the_default(recipe: Recipe) -> None:
    assert recipe.clean({"php_version": "8.2"}) == DEFAULTS | {"php_version": "8.2"}


def test_every_wrong_field_is_named_with_what_is_allowed(recipe: Recipe) -> None:
    assert errors(recipe, php_version="7.4", php_workers=0, include_redis="yes", domain="a b") == {
        "php_version": '"7.4" is not one of 8.1, 8.2, 8.3',
        "php_workers": "must be a whole number from 1 to 100, not 0",
        "include_redis": 'must be true or false, not "yes"',
        "domain": '"a b" does not match [a-z0-9.-]+',
    }


def test_an_unknown_option_is_refused_with_a_guess(recipe: Recipe) -> None:
    assert errors(recipe, php_verson="8.3") == {
        "php_verson": 'is not an option of this recipe; did you mean "php_version"?'
    }


@pytest.mark.parametrize("value", [True, 3.0, "3", None, [3]])
def test_types_are_strict(recipe: Recipe, value: object) -> None:
    assert list(errors(recipe, php_workers=value)) == ["php_workers"]


@pytest.mark.parametrize("value", [8.3, True, None, ["8.3"], {"a": 1}])
def test_a_select_takes_only_its_texts(recipe: Recipe, value: object) -> None:
    assert list(errors(recipe, php_version=value)) == ["php_version"]


@pytest.mark.parametrize("text", ["a\nb", "a\r", "\0", "\x1b[31m", "\u2028", "\u202eevil", "\ud800", "x" * 256])
def test_a_string_is_one_harmless_line(text: str) -> None:
    with pytest.raises(ValueError):
        Option("note", "Note", "string", default="").clean(text)


@pytest.mark.parametrize("text", ["{{ 7*7 }}", "`; touch pwned;`", "${DOMAIN}", "日本語 ☂", 'it\'s "quoted" \\ %', " "])
def test_a_string_arrives_as_it_was_typed(text: str) -> None:
    assert Option("note", "Note", "string", default="").clean(text) == text


def test_a_string_is_normalised() -> None:
    assert Option("note", "Note", "string", default="").clean("e\u0301") == "é"


def test_a_required_option_must_be_answered() -> None:
    recipe_options = (Option("note", "Note", "string"), Option("size", "Size", "integer"))
    from forgelab.recipes.options import clean

    with pytest.raises(ConfigInvalid) as error:
        clean(recipe_options, {"note": " "})
    assert error.value.errors == {"note": "must not be empty", "size": "is needed: a whole number"}


def test_texts_from_a_command_line_become_values(recipe: Recipe) -> None:
    texts = {"include_redis": "false", "php_workers": " 7 ", "php_version": "8.2"}
    assert recipe.clean_text(texts) == DEFAULTS | {"include_redis": False, "php_workers": 7, "php_version": "8.2"}


@pytest.mark.parametrize("name, text", [("include_redis", "maybe"), ("php_workers", "1e3"), ("php_workers", "٣")])
def test_a_text_that_means_nothing_is_refused(recipe: Recipe, name: str, text: str) -> None:
    with pytest.raises(ConfigInvalid) as error:
        recipe.clean_text({name: text, "nope": "x"})
    assert set(error.value.errors) == {name, "nope"}


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["8.1", "none"])
CONFIGS = st.dictionaries(st.sampled_from([*DEFAULTS, "other"]) | st.text(), VALUES | st.lists(VALUES))


@given(CONFIGS)
def test_clean_gives_a_config_or_says_why_not(recipe: Recipe, values: dict[str, object]) -> None:
    try:
        config = recipe.clean(values)
    except ConfigInvalid as invalid:
        assert invalid.errors and set(invalid.errors) <= set(values)
        return
    assert list(config) == list(DEFAULTS)
    assert recipe.clean(config) == config
    jsonschema.validate(config, recipe_json_schema(recipe))


@given(st.text())
def test_a_cleaned_string_is_always_a_printable_line(text: str) -> None:
    try:
        cleaned = Option("note", "Note", "string", default="").clean(text)
    except ValueError:
        return
    assert isinstance(cleaned, str)
    assert cleaned.splitlines() in ([cleaned], [])
    assert cleaned == unicodedata.normalize("NFC", text)
