"""`forgelab run show`."""

from __future__ import annotations

import argparse
import json

from django.core.management.base import CommandParser

from forgelab.cli import drawing, lookup, tables
from forgelab.runs import selectors

HELP = "Show one run with its steps."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("run", help="id, or the beginning of an id")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(chosen: argparse.Namespace) -> None:
    snapshot = selectors.run_snapshot(run_id=lookup.run(chosen.run).pk)
    if chosen.json:
        print(json.dumps(snapshot, indent=2))
        return
    tables.pairs(
        [
            ("Run", snapshot["id"]), ("What", snapshot["title"]), ("Device", snapshot["device"]["name"]),
            ("Status", snapshot["status_label"]), ("Because", snapshot["status_detail"]),
            ("Requested by", snapshot["requested_by"]),
            ("Took", tables.seconds(snapshot["seconds"])), ("Repeated as", snapshot["retry"]),
        ]
    )  # fmt: skip
    for step in snapshot["steps"]:
        print(f"  {drawing.plain_line(step)}")
        if step["detail"]:
            print("    " + step["detail"].strip().replace("\n", "\n    "))
