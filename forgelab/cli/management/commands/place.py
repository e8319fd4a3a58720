"""`forgelab place`: which device suits a server type best, and why."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.cli import tables
from forgelab.cli.base import Failure, ForgeCommand
from forgelab.servers import selectors


class Command(ForgeCommand):
    help = "Rank the devices for a server type, with reasons."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("type", metavar="TYPE", help="server type, such as laravel-app-server")
        parser.set_defaults(verb=place)


def place(chosen: argparse.Namespace) -> None:
    try:
        recipe = selectors.recipe_catalog().get(chosen.type)
    except KeyError as error:
        raise Failure(f"{error.args[0]}.") from None
    scores = selectors.placement_rank(recipe=recipe)
    rows = [
        (score.name, f"{score.points}/100" if score.fits else "unfit", "\n".join(score.refusals or score.reasons))
        for score in scores
    ]
    tables.show(
        ("Device", "Score", "Because"), rows, "There is no device yet. Add one: forgelab device add NAME ADDRESS"
    )
