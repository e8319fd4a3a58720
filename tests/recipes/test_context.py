from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.context import NAMES, check_server_name, database_name, database_user, standard_context


def test_a_servers_name_gives_the_names_of_the_specification() -> None:
    assert standard_context("laravel-production") == {
        "SERVER_NAME": "laravel-production",
        "APP_NAME": "laravel",
        "APP_ENV": "production",
        "APP_USER": "www-data",
        "DOMAIN": "laravel-production.homelab.local",
        "DATABASE_NAME": "laravel_production",
        "DATABASE_USER": "laravel_user",
    }


def test_a_database_is_owned_by_its_applications_user() -> None:
    assert database_user("myapp_production") == "myapp_user"
    assert database_user("pg-one") == "db_pg_one_user"  # PostgreSQL refuses pg_one_user


@pytest.mark.parametrize(
    "name, app, environment",
    [
        ("shop", "shop", "production"),
        ("my-shop-staging", "my-shop", "staging"),
        ("shop-dev", "shop", "development"),
        ("production", "production", "production"),
        ("shop-2", "shop-2", "production"),
    ],
)
def test_a_known_environment_at_the_end_is_not_part_of_the_application(name: str, app: str, environment: str) -> None:
    context = standard_context(name)
    assert (context["APP_NAME"], context["APP_ENV"]) == (app, environment)


@pytest.mark.parametrize("name", ["", "-a", "a-", "1a", "A", "a_b", "a.b", "a b", "é", "a" * 64, "a\n", "a;b", "{{x}}"])
def test_it_refuses_what_cannot_be_a_servers_name(name: str) -> None:
    with pytest.raises(ConfigInvalid) as error:
        check_server_name(name)
    assert "allowed are 1 to 63 lowercase letters" in error.value.errors["name"]


@pytest.mark.parametrize("name", ["postgres", "mysql", "template1"])
def test_the_systems_own_databases_are_left_alone(name: str) -> None:
    assert database_name(name) == f"{name}_app"


@given(st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True))
def test_every_name_gives_identifiers_that_all_databases_take(name: str) -> None:
    context = standard_context(name)
    assert list(context) == list(NAMES)
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,62}", context["DATABASE_NAME"])
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,31}", context["DATABASE_USER"])


def test_long_names_stay_different() -> None:
    one, other = (standard_context("a" * 50 + end)["DATABASE_USER"] for end in ("b", "c"))
    assert one != other
