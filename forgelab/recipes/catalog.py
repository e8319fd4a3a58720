"""All recipes there are: the built-in ones and those a user dropped into a folder of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from forgelab.recipes.loader import MANIFEST, load_file
from forgelab.recipes.model import Recipe
from forgelab.recipes.problems import Problem, RecipeError
from forgelab.recipes.rolespec import load_roles, role_files

BUILT_IN = Path(__file__).parent / "catalog"

Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Recipes by id, and what is wrong with the files that gave none."""

    recipes: Mapping[str, Recipe]
    problems: Mapping[Path, tuple[Problem, ...]]

    @classmethod
    def load(cls, folders: Iterable[Path], roles_dir: Path) -> Catalog:
        """Reads `<folder>/<id>/manifest.yaml` of every folder; where two have the same id, the first one keeps it."""
        roles = load_roles(roles_dir)
        recipes: dict[str, Recipe] = {}
        problems: dict[Path, tuple[Problem, ...]] = {}
        for path in _manifests(folders):
            try:
                recipe = load_file(path, roles)
            except RecipeError as error:
                problems[path] = error.problems
                continue
            if recipe.id in recipes:
                taken = f'"{recipe.id}" is taken by {recipes[recipe.id].source}; choose another id'
                problems[path] = (Problem("id", taken),)
            else:
                recipes[recipe.id] = recipe
        return cls(recipes, problems)

    def get(self, recipe_id: str) -> Recipe:
        """Raises KeyError with the ids there are."""
        if recipe_id not in self.recipes:
            raise KeyError(f'there is no recipe "{recipe_id}"; there are {", ".join(self.recipes) or "none"}')
        return self.recipes[recipe_id]


_loaded: dict[tuple[tuple[Path, ...], Path], tuple[Signature, Catalog]] = {}
_lock = threading.Lock()


def catalog(folders: Iterable[Path] = (), *, roles_dir: Path) -> Catalog:
    """The built-in recipes and those in `folders`, read again only when one of the files has changed."""
    key = (BUILT_IN, *folders), roles_dir
    signature = _signature(*key)
    with _lock:
        known = _loaded.get(key)
        if known is None or known[0] != signature:
            known = _loaded[key] = signature, Catalog.load(*key)
        return known[1]


def _manifests(folders: Iterable[Path]) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.glob(f"*/{MANIFEST}"))]


def _signature(folders: tuple[Path, ...], roles_dir: Path) -> Signature:
    return tuple(stamp for path in [*_manifests(folders), *role_files(roles_dir)] if (stamp := _stamp(path)))


def _stamp(path: Path) -> tuple[str, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return str(path), status.st_mtime_ns, status.st_size
