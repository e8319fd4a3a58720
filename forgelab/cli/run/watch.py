"""`forgelab run watch`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.cli import follow, lookup, tables
from forgelab.cli.base import Failure
from forgelab.cli.server import result

HELP = "Follow a run to its end; Ctrl-C only stops the watching."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("run", help="id, or the beginning of an id")


def run(chosen: argparse.Namespace) -> int:
    snapshot = follow.follow(lookup.run(chosen.run).pk, cancel_on_interrupt=False)
    if snapshot["status"] == "succeeded":
        print(
            f"{snapshot['title']} on {snapshot['device']['name']}: succeeded in {tables.seconds(snapshot['seconds'])}."
        )
        return 0
    raise Failure(result.failure(snapshot))
