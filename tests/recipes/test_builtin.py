"""The built-in recipes against the real roles."""

from __future__ import annotations

from datetime import date

import jsonschema
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from forgelab.recipes.catalog import BUILT_IN
from forgelab.recipes.context import standard_context
from forgelab.recipes.docs import markdown, recipe_page
from forgelab.recipes.forms import recipe_form
from forgelab.recipes.labels import choice_label
from forgelab.recipes.model import Recipe
from forgelab.recipes.resolve import ResolvedRecipe, resolve
from forgelab.recipes.schema import recipe_json_schema
from tests.recipes.builtin import LOADED, ROLES_DIR

ROLES = LOADED.roles.specs
SECRETS = {"database_password": "db-secret", "redis_password": "redis-secret"}
TODAY = date(2026, 11, 21)
PHONE = 33  # characters in a select box on a screen of 390 pixels
NEEDED = {"database_server": "books", "cache_server": "fast"}


@pytest.fixture
def app_server() -> Recipe:
    return LOADED.get("laravel-app-server")


def resolved(recipe: Recipe, **config: object) -> ResolvedRecipe:
    return resolve(recipe, recipe.clean(config), standard_context("laravel-production"), SECRETS)


def variables(result: ResolvedRecipe) -> dict[str, object]:
    return {name: value for one in result.components for name, value in one.variables.items()}


def test_every_builtin_recipe_loads() -> None:
    assert {str(path): [str(p) for p in problems] for path, problems in LOADED.problems.items()} == {}
    assert sorted(LOADED.recipes) == sorted(path.name for path in BUILT_IN.iterdir())


def test_every_choice_fits_the_select_box_on_a_phone() -> None:
    options = [option for recipe in LOADED.recipes.values() for option in recipe.options]
    labels = {choice_label(option, choice, TODAY) for option in options for choice in option.choices}

    assert {label for label in labels if len(label) > PHONE} == set()


def test_the_app_server_has_every_component_of_the_specification(app_server: Recipe) -> None:
    names = [one.name for one in app_server.selected(app_server.clean({}))]
    wanted = "nginx php composer nodejs postgresql backups redis supervisor scheduler firewall"
    assert names == wanted.split()


def test_the_app_server_needs_what_the_specification_says(app_server: Recipe) -> None:
    needs = app_server.requirements
    assert (needs.memory_mb.minimum, needs.memory_mb.recommended) == (2048, 4096)
    assert (needs.storage_mb.minimum, needs.storage_mb.recommended) == (20 * 1024, 50 * 1024)
    assert (needs.cores.minimum, needs.cores.recommended) == (2, 4)


def test_the_app_servers_defaults_are_the_specifications(app_server: Recipe) -> None:
    config = app_server.clean({})
    assert (config["php_version"], config["database_engine"], config["nodejs_version"]) == ("8.3", "postgresql", "20")
    assert all(config[name] for name in config if name.startswith("include_") and name != "include_laravel_installer")
    assert app_server.option("php_version").values == ("8.0", "8.1", "8.2", "8.3", "8.4", "8.5")


def test_php_gets_the_twelve_extensions(app_server: Recipe) -> None:
    php = next(component for component in app_server.components if component.name == "php")
    assert list(php.parts) == [
        "fpm",
        "cli",
        "mbstring",
        "xml",
        "pgsql",
        "mysql",
        "redis",
        "curl",
        "zip",
        "gd",
        "intl",
        "bcmath",
    ]


def test_the_laravel_installer_comes_only_when_asked_for(app_server: Recipe) -> None:
    assert variables(resolved(app_server))["composer_global_packages"] == []
    asked = variables(resolved(app_server, include_laravel_installer=True))
    assert asked["composer_global_packages"] == ["laravel/installer"]


def test_one_choice_of_php_reaches_every_role(app_server: Recipe) -> None:
    found = variables(resolved(app_server, php_version="8.2"))
    assert found["php_version"] == "8.2"
    assert found["nginx_php_socket"] == "/run/php/php8.2-fpm.sock"
    assert found["supervisor_php"] == found["scheduler_php"] == "php8.2"


def test_one_upload_limit_reaches_nginx_and_php(app_server: Recipe) -> None:
    found = variables(resolved(app_server, upload_max_mb=100))
    assert (found["nginx_upload_max_mb"], found["php_upload_max_filesize"]) == (100, "100M")


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "mariadb"])
def test_the_chosen_database_engine_is_the_only_one(app_server: Recipe, engine: str) -> None:
    result = resolved(app_server, database_engine=engine)
    engines = [one for one in result.components if one.name in ("postgresql", "mysql", "mariadb")]
    assert [one.name for one in engines] == [engine]
    assert engines[0].variables[f"{engine}_database"] == "laravel_production"
    assert engines[0].variables[f"{engine}_user"] == "laravel_user"
    assert engines[0].secret_variables == {f"{engine}_password": "db-secret"}


@pytest.mark.parametrize("part", ["redis", "supervisor", "scheduler", "composer", "nodejs", "firewall"])
def test_every_part_can_be_left_out(app_server: Recipe, part: str) -> None:
    result = resolved(app_server, **{f"include_{part}": False})
    assert part not in [one.name for one in result.components]
    assert part.capitalize() not in result.messages[0].message.split("Server details")[1]


def test_no_secret_is_shown_outside_the_credentials(app_server: Recipe) -> None:
    result = resolved(app_server)
    assert not any(secret in repr((variables(result), result.values, result.messages)) for secret in SECRETS.values())
    assert [block.title for block in result.credentials] == ["Database Credentials", "Redis Credentials"]


def test_credentials_are_those_of_the_specification(app_server: Recipe) -> None:
    database = resolved(app_server).credentials[0]
    assert [(field.label, field.value) for field in database.fields] == [
        ("Host", "localhost"),
        ("Database", "laravel_production"),
        ("User", "laravel_user"),
        ("Password", "db-secret"),
    ]
    assert database.secret_fields == {"Password"}


@pytest.mark.parametrize("recipe", list(LOADED.recipes.values()), ids=lambda recipe: recipe.id)
def test_options_offer_only_what_their_roles_accept(recipe: Recipe) -> None:
    for option in recipe.options:
        accepted = ROLES[option.role].options[option.name].choices if option.role else ()
        assert not accepted or set(option.values) <= set(accepted), option.name


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "mariadb"])
def test_ansible_accepts_every_variable(app_server: Recipe, engine: str) -> None:
    for one in resolved(app_server, database_engine=engine).components:
        spec = yaml.safe_load((ROLES_DIR / one.role / "meta/argument_specs.yml").read_text())
        validator = ArgumentSpecValidator(spec["argument_specs"]["main"]["options"])
        result = validator.validate(one.variables | one.secret_variables)
        assert result.error_messages == [], one.role
        assert {name: result.validated_parameters[name] for name in one.variables} == one.variables


@pytest.mark.parametrize("recipe", list(LOADED.recipes.values()), ids=lambda recipe: recipe.id)
def test_everything_can_be_derived_from_a_recipe(recipe: Recipe) -> None:
    schema = recipe_json_schema(recipe)
    jsonschema.Draft202012Validator.check_schema(schema)
    needed = {option.name: NEEDED[option.name] for option in recipe.options if option.required}
    jsonschema.validate(recipe.clean(needed), schema)
    assert all(option.label in recipe_form(recipe)().as_p() for option in recipe.options if "&" not in option.label)
    assert recipe.name in markdown(recipe_page(recipe))


@pytest.mark.parametrize("name", [name for name, role in ROLES.items() if role.versions.known])
def test_versions_are_known_of_every_role_that_offers_a_choice(name: str) -> None:
    for choice in ROLES[name].options[f"{name}_version"].choices:
        assert any(v == choice or v.startswith(f"{choice}.") for v in ROLES[name].versions.known), choice


def test_the_binaries_of_nodejs_are_those_that_its_role_has_hashes_of() -> None:
    versions = ROLES["nodejs"].versions
    wheels = yaml.safe_load((ROLES_DIR / "nodejs/defaults/main.yml").read_text())["nodejs_wheels"]
    assert {name for name, version in versions.known.items() if "binaries" in version.sources} == wheels.keys()
    assert versions.binaries is not None
    assert all(set(versions.binaries.architectures) == wheel["hashes"].keys() for wheel in wheels.values())
