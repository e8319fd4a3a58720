"""All recipes there are: the built-in ones and those a user dropped into a folder of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forgelab.lib.problems import DocumentError, Problem, quoted
from forgelab.recipes.folder import Stamp, find_manifests, stamp, stamps
from forgelab.recipes.link_validation import unpublished_reads
from forgelab.recipes.manifest.loader import load_file
from forgelab.recipes.model import Recipe
from forgelab.recipes.roles.spec import Roles, load_roles, role_files

BUILT_IN = Path(__file__).parent / "catalog"

Signature = tuple[Stamp, ...]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """A file that gave no recipe. `file` is its path below the folder of recipes, fit to be shown."""

    file: str
    path: Path
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Recipes by id, what is wrong with the files that gave none, and ForgeLab's own roles."""

    recipes: Mapping[str, Recipe]
    problems: Mapping[Path, tuple[Problem, ...]]
    folders: tuple[Path, ...] = ()
    roles: Roles = field(default_factory=lambda: Roles({}, {}))

    @classmethod
    def load(cls, folders: Iterable[Path], roles_dir: Path) -> Catalog:
        """Reads `<folder>/<id>/manifest.yaml` of every folder; where two have the same id, the first one keeps it."""
        folders = tuple(folders)
        roles = load_roles(roles_dir)
        recipes: dict[str, Recipe] = {}
        problems: dict[Path, tuple[Problem, ...]] = {}
        for folder in folders:
            manifests, faults = find_manifests(folder)
            problems |= faults
            for path in manifests:
                try:
                    recipe = _read(path, roles, recipes)
                except DocumentError as error:
                    problems[path] = error.problems
                else:
                    recipes[recipe.id] = recipe
        wrong = {name: gaps for name, recipe in recipes.items() if (gaps := unpublished_reads(recipe, recipes))}
        problems |= {Path(recipes[name].source): gaps for name, gaps in wrong.items()}
        usable = {name: one for name, one in recipes.items() if name not in wrong}
        return cls(dict(sorted(usable.items(), key=_place)), problems, folders, roles)

    def get(self, recipe_id: str) -> Recipe:
        """Raises KeyError with the ids there are, or with what is wrong with this one."""
        if recipe_id in self.recipes:
            return self.recipes[recipe_id]
        for report in self.reports():
            if recipe_id in (report.path.name, report.path.parent.name):
                raise KeyError(
                    f'the recipe "{recipe_id}" cannot be used; {report.file}: {report.problems[0]} '
                    "(everything that is wrong: forgelab recipes check)"
                )
        raise KeyError(f'there is no recipe "{recipe_id}"; there are {", ".join(self.recipes) or "none"}')

    def reports(self) -> list[Report]:
        """What is wrong, file by file."""
        return [Report(self._label(path), path, problems) for path, problems in self.problems.items()]

    def _label(self, path: Path) -> str:
        """A name may hold anything that a file's name can, also what is no text."""
        folder = next((folder for folder in self.folders if folder != path and folder in path.parents), None)
        return quoted(str(path.relative_to(folder) if folder else path), 300)[1:-1]


def _place(item: tuple[str, Recipe]) -> tuple[bool, int, str]:
    """ForgeLab's own types first, in the order of the specification; then others by position and id."""
    name, recipe = item
    return not Path(recipe.source).is_relative_to(BUILT_IN), recipe.position, name


def _read(path: Path, roles: Roles, others: Mapping[str, Recipe]) -> Recipe:
    """The recipe, if its id and the roles it brings are nobody else's. Raises DocumentError."""
    recipe = load_file(path, roles)
    if other := others.get(recipe.id):
        whose = "a recipe that ForgeLab brings" if Path(other.source).is_relative_to(BUILT_IN) else other.source
        raise DocumentError([Problem("id", f'"{recipe.id}" is taken by {whose}; choose another id')])
    for role, files in recipe.own_roles.items():
        for other in others.values():
            if other.own_roles.get(role, files) != files:
                taken = f"the recipe {other.id} brings another role of that name; choose another name"
                raise DocumentError([Problem(f"roles/{role}", taken)])
    return recipe


_loaded: dict[tuple[tuple[Path, ...], Path], tuple[Signature, Catalog]] = {}
_lock = threading.Lock()


def catalog(folders: Iterable[Path] = (), *, roles_dir: Path) -> Catalog:
    """The built-in recipes and those in `folders`, read again only when one of the files has changed.

    What is wrong with a file is logged once, when it is first seen.
    """
    key = (BUILT_IN, *folders), roles_dir
    signature = _signature(*key)
    with _lock:
        known = _loaded.get(key)
        if known is None or known[0] != signature:
            loaded = Catalog.load(*key)
            _log(loaded, known[1] if known else None)
            known = _loaded[key] = signature, loaded
        return known[1]


def _log(loaded: Catalog, before: Catalog | None) -> None:
    logged = {(report.path, report.problems) for report in before.reports()} if before else set()
    for report in loaded.reports():
        if (report.path, report.problems) not in logged:
            for problem in report.problems:
                logger.warning("the recipe %s cannot be used: %s", report.file, problem)


def _signature(folders: tuple[Path, ...], roles_dir: Path) -> Signature:
    of_recipes = (found for folder in folders for found in stamps(folder))
    of_roles = (found for path in role_files(roles_dir) if (found := stamp(path)))
    return (*of_recipes, *of_roles)
