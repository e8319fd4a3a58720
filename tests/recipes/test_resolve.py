from __future__ import annotations

import pytest

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.context import standard_context
from forgelab.recipes.model import Command, Recipe
from forgelab.recipes.resolve import ResolvedRecipe, resolve
from forgelab.recipes.roles.spec import Roles

from .helpers import load

SECRETS = {"database_password": "s3cret{{ }}"}


def resolved(recipe: Recipe, secrets: dict[str, str] = SECRETS, **config: object) -> ResolvedRecipe:
    return resolve(recipe, recipe.clean(config), standard_context("laravel-production"), secrets)


def component(result: ResolvedRecipe, name: str) -> dict[str, object]:
    return next(one for one in result.components if one.name == name).variables


def test_components_whose_condition_does_not_hold_are_left_out(recipe: Recipe) -> None:
    names = [one.name for one in resolved(recipe, database_engine="none", include_redis=False).components]
    assert names == ["nginx", "php"]


def test_an_option_sets_the_variable_of_its_name(recipe: Recipe) -> None:
    variables = component(resolved(recipe, php_version="8.1", php_workers=3), "php")
    assert (variables["php_version"], variables["php_workers"]) == ("8.1", 3)


def test_placeholders_become_the_servers_names(recipe: Recipe) -> None:
    result = resolved(recipe)
    assert component(result, "nginx")["nginx_app"] == "laravel"
    assert component(result, "postgresql") == {
        "postgresql_database": "laravel_production",
        "postgresql_user": "laravel_user",
    }


def test_a_conditional_item_follows_its_condition(recipe: Recipe) -> None:
    with_database = component(resolved(recipe), "nginx")["nginx_server_names"]
    without = component(resolved(recipe, database_engine="none"), "nginx")["nginx_server_names"]
    assert with_database == ["laravel-production.homelab.local", "laravel-production"]
    assert without == ["laravel-production.homelab.local"]


def test_an_option_takes_the_place_of_a_standard_name_unless_it_is_empty(recipe: Recipe) -> None:
    assert component(resolved(recipe, domain="shop.lan"), "nginx")["nginx_server_names"][0] == "shop.lan"  # type: ignore[index]
    assert resolved(recipe).values["DOMAIN"] == "laravel-production.homelab.local"


def test_a_value_with_a_secret_is_a_secret_variable(recipe: Recipe) -> None:
    secret = {name: value for one in resolved(recipe).components for name, value in one.secret_variables.items()}
    assert secret == {
        "postgresql_password": "s3cret{{ }}",
        "redis_url": "redis://:s3cret{{ }}@localhost",
    }


def test_no_secret_is_left_outside_the_secret_variables(recipe: Recipe) -> None:
    result = resolved(recipe)
    clear = [one.variables for one in result.components], result.values, result.messages, result.requirements
    assert SECRETS["database_password"] not in repr(clear)


def test_a_variable_that_the_role_hides_is_secret_whatever_it_holds(roles: Roles) -> None:
    recipe = load(
        roles,
        components=[{"name": "postgresql", "password": "known"}],
        config_options=None, secrets=None, post_install=None,
    )  # fmt: skip
    assert resolved(recipe, {}).components[0].secret_variables == {"postgresql_password": "known"}


def test_a_value_is_quoted_in_a_command(roles: Roles) -> None:
    recipe = load(
        roles,
        components=[{"name": "php"}],
        config_options=[{"name": "note", "type": "string", "default": ""}],
        secrets=None,
        post_install=[{"type": "command", "command": "echo ${NOTE} $${HOME}"}],
    )
    result = resolved(recipe, {}, note="`; touch pwned;` ${DOMAIN}")
    assert result.post_install == (Command("Run echo", "echo '`; touch pwned;` ${DOMAIN}' ${HOME}"),)


def test_credentials_say_which_fields_are_secret(recipe: Recipe) -> None:
    [credentials] = resolved(recipe).credentials
    assert [(field.label, field.value) for field in credentials.fields] == [
        ("Host", "localhost"),
        ("Password", "s3cret{{ }}"),
    ]
    assert credentials.secret_fields == {"Password"}


def test_messages_are_filled(recipe: Recipe) -> None:
    assert resolved(recipe).messages[0].message == "PHP 8.3 for laravel-production, workers 20.\n"


def test_a_percent_sign_is_doubled_for_supervisor(roles: Roles) -> None:
    recipe = load(
        roles,
        components=[{"name": "php"}],
        config_options=[{"name": "note", "type": "string", "default": ""}],
        secrets=None,
        post_install=[{"type": "supervisor_config", "config": "[program:x]\ncommand=echo ${NOTE} %(host)s"}],
    )
    assert "echo 5%% %(host)s" in repr(resolved(recipe, {}, note="5%").post_install)


def test_a_config_that_is_not_clean_is_refused(recipe: Recipe) -> None:
    with pytest.raises(ConfigInvalid):
        resolve(recipe, {"php_version": "5.6"}, standard_context("a"), SECRETS)


def test_a_missing_secret_is_refused(recipe: Recipe) -> None:
    with pytest.raises(ValueError, match="secrets lacks database_password"):
        resolve(recipe, {}, standard_context("a"), {})
