"""Reads one recipe from its file."""

from __future__ import annotations

from pathlib import Path

from forgelab.recipes.manifest import read_manifest
from forgelab.recipes.model import Recipe
from forgelab.recipes.problems import Problem, RecipeError
from forgelab.recipes.rolespec import Roles
from forgelab.recipes.yamlfile import MAX_BYTES, parse

MANIFEST = "manifest.yaml"


def load_text(text: str | bytes, roles: Roles, source: str = "") -> Recipe:
    """The recipe in this text. Raises RecipeError, never anything else."""
    return read_manifest(parse(text), roles, source)


def load_file(path: Path, roles: Roles) -> Recipe:
    """The recipe in this file, whose folder must be named like its id. Raises RecipeError, never anything else."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RecipeError([Problem("", f"cannot be read: {error.strerror or error}")]) from None
    recipe = load_text(text, roles, str(path))
    if recipe.id != path.parent.name:
        raise RecipeError([Problem("id", f'"{recipe.id}" must be the name of its folder, "{path.parent.name}"')])
    return recipe
