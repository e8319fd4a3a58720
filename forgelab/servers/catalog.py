"""The catalog of recipes as this installation has it."""

from __future__ import annotations

from django.conf import settings

from forgelab.recipes.catalog import Catalog, catalog


def recipe_catalog() -> Catalog:
    """The built-in recipes and those in `settings.RECIPES_DIR`, read again when a file changed."""
    return catalog([settings.RECIPES_DIR], roles_dir=settings.ROLES_DIR)
