"""The built-in recipes with the real roles, read once."""

from __future__ import annotations

from pathlib import Path

from forgelab.recipes.catalog import BUILT_IN, Catalog

ROLES_DIR = Path(__file__).parents[2] / "roles"
LOADED = Catalog.load([BUILT_IN], ROLES_DIR)
