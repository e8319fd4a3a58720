"""`forgelab recipes check`: what is wrong with recipes of your own."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandParser

from forgelab.cli.base import Failure
from forgelab.cli.recipes.list import files
from forgelab.recipes.catalog import BUILT_IN, Catalog
from forgelab.servers.catalog import recipe_catalog

HELP = "List what is wrong with recipes; the exit status is 1 if anything is."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "path", nargs="?", type=Path,
        help=f"a folder of recipes, or one recipe's folder; {settings.RECIPES_DIR} unless given",
    )  # fmt: skip


def run(chosen: argparse.Namespace) -> int:
    catalog = _checked(chosen.path)
    for report in catalog.reports():
        print(f"{report.file}:")
        print("".join(f"  {problem}\n" for problem in report.problems), end="")
    if catalog.problems:
        print(f"{files(len(catalog.problems))} cannot be used.")
        return 1
    own = [recipe.id for recipe in catalog.recipes.values() if not Path(recipe.source).is_relative_to(BUILT_IN)]
    where = chosen.path or settings.RECIPES_DIR
    print(f"{', '.join(own)}: can be used." if own else f"There is no recipe in {where}.")
    return 0


def _checked(path: Path | None) -> Catalog:
    """What would be if the recipes of this path were in the folder, and nothing else."""
    if path is None:
        return recipe_catalog()
    if not path.is_dir():
        raise Failure(f"{path} is no folder. Name a folder of recipes, or the folder of one (with its manifest.yaml).")
    path = path.resolve()
    one = (path / "manifest.yaml").exists()
    folder = path.parent if one else path
    catalog = Catalog.load([BUILT_IN, folder], settings.ROLES_DIR)
    if not one:
        return catalog
    return Catalog(
        {key: recipe for key, recipe in catalog.recipes.items() if Path(recipe.source).parent == path},
        {at: problems for at, problems in catalog.problems.items() if at.is_relative_to(path)},
        catalog.folders,
    )
