"""`forgelab recipes show`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.cli.base import Failure
from forgelab.recipes.docs import markdown, recipe_page
from forgelab.servers.catalog import recipe_catalog

HELP = "Show a server type's documentation."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("type", metavar="TYPE", help="server type, such as laravel-app-server")


def run(chosen: argparse.Namespace) -> None:
    try:
        recipe = recipe_catalog().get(chosen.type)
    except KeyError as error:
        raise Failure(f"{error.args[0]}.") from None
    print(markdown(recipe_page(recipe, roles_link="")).partition("\n\n")[2], end="")
