"""The specification's own manifest loads as it stands, with roles that offer what it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.recipes.context import standard_context
from forgelab.recipes.manifest.loader import load_text
from forgelab.recipes.model import Command, Recipe
from forgelab.recipes.resolve import resolve
from forgelab.recipes.roles.spec import load_roles

ROOT = Path(__file__).parents[2]
MANIFEST = Path(__file__).parent / "specification.yaml"


@pytest.fixture(scope="module")
def specified() -> Recipe:
    return load_text(MANIFEST.read_text(), load_roles(ROOT / "roles"))


def test_it_loads_with_the_real_roles(specified: Recipe) -> None:
    assert (specified.id, specified.server_type) == ("laravel-app-server", "app_server")
    assert specified.requirements.memory_mb.minimum == 2048
    assert len(specified.options) == 5


def test_its_components_follow_its_options(specified: Recipe) -> None:
    names = [one.name for one in specified.selected(specified.clean({}))]
    assert names == ["nginx", "php", "composer", "nodejs", "postgresql", "redis", "supervisor"]
    fewer = specified.clean({"include_redis": False, "include_nodejs": False, "database_engine": "mysql"})
    assert [one.name for one in specified.selected(fewer)] == ["nginx", "php", "composer", "supervisor"]


def test_its_commands_and_message_are_kept(specified: Recipe) -> None:
    resolved = resolve(specified, specified.clean({"php_version": "8.2"}), standard_context("laravel-production"), {})
    commands = [item.command for item in resolved.post_install if isinstance(item, Command)]
    assert commands[1] == "ufw allow 80/tcp && ufw allow 443/tcp"
    assert "- PHP: Version 8.2, PHP-FPM enabled" in resolved.messages[0].message
