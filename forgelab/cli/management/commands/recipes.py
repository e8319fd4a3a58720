"""`forgelab recipes`: the server types there are, what they offer, and what is wrong with one of your own."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandParser

from forgelab.cli import tables
from forgelab.cli.base import Failure, ForgeCommand, verbs
from forgelab.recipes.catalog import BUILT_IN, Catalog
from forgelab.recipes.docs import markdown, recipe_page
from forgelab.servers import selectors


class Command(ForgeCommand):
    help = "List the server types, show what one offers, and check recipes of your own."

    def add_arguments(self, parser: CommandParser) -> None:
        verb = verbs(parser)
        verb("list", recipes_list, "List all server types.")
        show = verb("show", recipes_show, "Show a server type's documentation.")
        show.add_argument("type", metavar="TYPE", help="server type, such as laravel-app-server")
        check = verb("check", recipes_check, "Tell what is wrong with recipes; the exit status is 1 if anything is.")
        check.add_argument(
            "path", nargs="?", type=Path,
            help=f"a folder of recipes, or one recipe's folder; {settings.RECIPES_DIR} unless given",
        )  # fmt: skip


def recipes_list(chosen: argparse.Namespace) -> None:
    catalog = selectors.recipe_catalog()
    rows = [
        (recipe.id, recipe.name, "" if Path(recipe.source).is_relative_to(BUILT_IN) else recipe.source, recipe.tagline)
        for recipe in catalog.recipes.values()
    ]
    tables.show(("Type", "Name", "Your own", "What it is"), rows, "There is no server type.")
    if catalog.problems:
        print(f"{_files(len(catalog.problems))} cannot be used. What is wrong: forgelab recipes check")


def recipes_show(chosen: argparse.Namespace) -> None:
    try:
        recipe = selectors.recipe_catalog().get(chosen.type)
    except KeyError as error:
        raise Failure(f"{error.args[0]}.") from None
    print(markdown(recipe_page(recipe, roles_link="")).partition("\n\n")[2], end="")


def recipes_check(chosen: argparse.Namespace) -> int:
    catalog = _checked(chosen.path)
    for report in catalog.reports():
        print(f"{report.file}:")
        print("".join(f"  {problem}\n" for problem in report.problems), end="")
    if catalog.problems:
        print(f"{_files(len(catalog.problems))} cannot be used.")
        return 1
    own = [recipe.id for recipe in catalog.recipes.values() if not Path(recipe.source).is_relative_to(BUILT_IN)]
    where = chosen.path or settings.RECIPES_DIR
    print(f"{', '.join(own)}: can be used." if own else f"There is no recipe in {where}.")
    return 0


def _checked(path: Path | None) -> Catalog:
    """What would be if the recipes of this path were in the folder, and nothing else."""
    if path is None:
        return selectors.recipe_catalog()
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


def _files(number: int) -> str:
    return f"{number} recipe{'' if number == 1 else 's'}"
