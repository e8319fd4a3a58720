from __future__ import annotations

from datetime import date

from forgelab.recipes.docs import recipe_page, role_page
from forgelab.recipes.model import Recipe
from forgelab.recipes.rolespec import Roles


def test_a_recipes_page_tells_requirements_components_and_options(recipe: Recipe) -> None:
    page = recipe_page(recipe, date(2026, 11, 21))
    assert "# Small Server\n" in page
    assert "| Memory | 2 GB | 4 GB |" in page
    assert "- Redis, if include_redis is on\n" in page
    assert "- PostgreSQL, if database_engine is postgresql\n" in page
    assert "| `php_workers` | PHP workers | 1 to 100 | `20` |" in page
    assert "PHP 8.1 (end of life since 2025-12-31), PHP 8.2, PHP 8.3 (recommended)" in page


def test_a_roles_page_lists_every_variable_but_no_secret(roles: Roles) -> None:
    page = role_page(roles.specs["postgresql"])
    assert "| `postgresql_version` | str: 15, 16 | `'15'` |  |" in page
    assert "| `postgresql_password` | str |  |  |" in page
