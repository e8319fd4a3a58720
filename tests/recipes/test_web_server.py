"""The Web Server's recipe against the real roles."""

from __future__ import annotations

import pytest

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes.context import standard_context
from forgelab.recipes.model import Recipe
from forgelab.recipes.resolve import resolve
from forgelab.recipes.roles.spec import load_roles
from tests.recipes.builtin import LOADED, ROLES_DIR

SECRETS = {"redis_password": "redis-secret"}


@pytest.fixture
def web_server() -> Recipe:
    return LOADED.get("laravel-web-server")


def components(recipe: Recipe, **config: object) -> dict[str, dict[str, object]]:
    resolved = resolve(recipe, recipe.clean(config), standard_context("shop-production"), SECRETS)
    return {one.name: one.variables for one in resolved.components}


def test_it_has_what_serves_pages_and_nothing_else(web_server: Recipe) -> None:
    assert web_server.server_type == "web_server"
    assert list(components(web_server)) == ["nginx", "php", "composer", "nodejs", "firewall"]


def test_redis_comes_when_asked_for_and_with_its_credentials(web_server: Recipe) -> None:
    assert "redis" in components(web_server, include_redis=True)
    config = web_server.clean({"include_redis": True})
    asked = resolve(web_server, config, standard_context("shop"), SECRETS)
    assert [block.title for block in asked.credentials] == ["Redis Credentials"]
    assert not resolve(web_server, web_server.clean({}), standard_context("shop"), SECRETS).credentials


def test_one_choice_reaches_nginx_and_php(web_server: Recipe) -> None:
    found = components(web_server, php_version="8.4", upload_max_mb=10, extra_php_versions="8.2, 8.3")
    assert found["nginx"]["nginx_php_socket"] == "/run/php/php8.4-fpm.sock"
    assert (found["nginx"]["nginx_upload_max_mb"], found["php"]["php_upload_max_filesize"]) == (10, "10M")
    assert found["php"]["php_extra_versions"] == ["8.2, 8.3"]


@pytest.mark.parametrize("value", ["8.2 8.3", "8.2,", "latest", "8.2; rm", "7.4"])
def test_it_refuses_what_is_no_list_of_versions(web_server: Recipe, value: str) -> None:
    with pytest.raises(ConfigInvalid, match="extra_php_versions"):
        web_server.clean({"extra_php_versions": value})


def test_nginx_waits_longer_than_any_request_may_take(web_server: Recipe) -> None:
    longest = web_server.option("php_max_execution_time").maximum
    waits = load_roles(ROLES_DIR).specs["nginx"].options["nginx_request_timeout"].default
    assert longest is not None
    assert longest < int(str(waits))
