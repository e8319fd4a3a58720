"""Reads one recipe from its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from forgelab.lib.problems import DocumentError, Problem, quoted
from forgelab.lib.yamlfile import MAX_BYTES, parse
from forgelab.recipes.folder import MANIFEST, plain_file_fault
from forgelab.recipes.manifest.document import read_manifest
from forgelab.recipes.model import Recipe
from forgelab.recipes.roles.own import load_own_roles
from forgelab.recipes.roles.spec import Roles

__all__ = ["MANIFEST", "load_file", "load_text"]


def load_text(text: str | bytes, roles: Roles, source: str = "") -> Recipe:
    """The recipe in this text. Raises DocumentError, never anything else."""
    return read_manifest(parse(text), roles, source)


def load_file(path: Path, roles: Roles) -> Recipe:
    """The recipe in this file, whose folder must be named like its id, with the roles beside it.

    Raises DocumentError, never anything else.
    """
    if fault := plain_file_fault(path, path.parent.parent, MAX_BYTES):
        raise DocumentError([Problem("", fault)])
    own = load_own_roles(path.parent, roles)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentError([Problem("", f"cannot be read: {error.strerror or error}")]) from None
    everything = replace(roles, specs={**roles.specs, **own.roles.specs}, broken={**roles.broken, **own.roles.broken})
    recipe = load_text(text, everything, str(path))
    if recipe.id != path.parent.name:
        raise DocumentError(
            [Problem("id", f'"{recipe.id}" must be the name of its folder, {quoted(path.parent.name)}')]
        )
    return replace(recipe, own_roles=own.files)
