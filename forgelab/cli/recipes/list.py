"""`forgelab recipes list`."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.core.management.base import CommandParser

from forgelab.cli import tables
from forgelab.recipes.catalog import BUILT_IN
from forgelab.servers.catalog import recipe_catalog

HELP = "List all server types."


def add_arguments(parser: CommandParser) -> None:
    """It takes none."""


def run(chosen: argparse.Namespace) -> None:
    catalog = recipe_catalog()
    rows = [
        (recipe.id, recipe.name, "" if Path(recipe.source).is_relative_to(BUILT_IN) else recipe.source, recipe.tagline)
        for recipe in catalog.recipes.values()
    ]
    tables.show(("Type", "Name", "Your own", "What it is"), rows, "There is no server type.")
    if catalog.problems:
        print(f"{files(len(catalog.problems))} cannot be used. What is wrong: forgelab recipes check")


def files(number: int) -> str:
    return f"{number} recipe{'' if number == 1 else 's'}"
