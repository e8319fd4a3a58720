from __future__ import annotations

from datetime import date

from forgelab.recipes.forms import SelectField, recipe_form
from forgelab.recipes.model import Recipe

TODAY = date(2026, 11, 21)
ANSWERS = {"php_version": "8.2", "database_engine": "none", "php_workers": "7", "domain": ""}


def test_a_valid_form_holds_the_complete_config(recipe: Recipe) -> None:
    form = recipe_form(recipe)(ANSWERS)
    assert form.is_valid()
    assert form.cleaned_data == {**ANSWERS, "php_workers": 7, "include_redis": False}


def php_version(recipe: Recipe, today: date) -> SelectField:
    field = recipe_form(recipe, today).base_fields["php_version"]
    assert isinstance(field, SelectField)
    return field


def test_the_default_is_recommended_and_old_versions_are_marked(recipe: Recipe) -> None:
    choices = dict(php_version(recipe, TODAY).choices)
    assert choices == {"8.1": "PHP 8.1 (end of life)", "8.2": "PHP 8.2", "8.3": "PHP 8.3 (recommended)"}


def test_notes_say_how_long_a_version_is_supported_and_where_it_comes_from(recipe: Recipe) -> None:
    assert php_version(recipe, TODAY).notes == {
        "PHP 8.1": "end of life since 2025-12-31, from Ubuntu 22.04 or deb.sury.org",
        "PHP 8.2": "supported until 2026-12-31, from Debian 12 or deb.sury.org",
        "PHP 8.3": "supported until 2027-12-31, from Ubuntu 24.04 or deb.sury.org",
    }


def test_choices_that_are_no_versions_have_no_notes(recipe: Recipe) -> None:
    engine = recipe_form(recipe, TODAY).base_fields["database_engine"]
    assert isinstance(engine, SelectField)
    assert engine.notes == {}


def test_an_outlived_default_is_not_recommended(recipe: Recipe) -> None:
    assert dict(php_version(recipe, date(2030, 1, 1)).choices)["8.3"] == "PHP 8.3 (default, end of life)"


def test_fields_start_with_the_defaults_and_carry_help(recipe: Recipe) -> None:
    form = recipe_form(recipe)()
    assert form["include_redis"].initial is True
    assert form["php_version"].help_text == "Which PHP."
    assert form["php_version"].label == "PHP Version"


def test_fields_are_grouped_by_component(recipe: Recipe) -> None:
    groups = [(title, [field.name for field in fields]) for title, fields in recipe_form(recipe)().groups()]
    assert groups == [("", ["database_engine", "include_redis", "domain"]), ("PHP", ["php_version", "php_workers"])]


def test_a_wrong_answer_is_reported_at_its_field(recipe: Recipe) -> None:
    form = recipe_form(recipe)({**ANSWERS, "php_version": "7.4", "php_workers": "0", "domain": "a b"})
    assert set(form.errors) == {"php_version", "php_workers", "domain"}
    assert form.errors["domain"] == ['"a b" does not match [a-z0-9.-]+']
