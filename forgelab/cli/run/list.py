"""`forgelab run list`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.cli import lookup, tables
from forgelab.runs import selectors
from forgelab.runs.models import Run

HELP = "List runs, newest first."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--status", choices=Run.Status.values, help="only these")
    parser.add_argument("--device", help="only those on this device")
    parser.add_argument("--limit", type=int, default=20, help="how many (default: %(default)s)")


def run(chosen: argparse.Namespace) -> None:
    device = lookup.device(chosen.device) if chosen.device else None
    runs = selectors.run_list(status=chosen.status, device=device)[: max(1, chosen.limit)]
    rows = [
        (
            lookup.short(run.pk), run.title, run.device.name, tables.status(run.status, run.get_status_display()),
            tables.seconds(run.seconds), tables.ago(run.created_at),
        )
        for run in runs
    ]  # fmt: skip
    tables.show(("Run", "What", "Device", "Status", "Took", "When"), rows, "There is no such run.")
