"""`forgelab run cancel`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import follow, lookup
from forgelab.cli.base import Failure
from forgelab.runs import services
from forgelab.runs.models import Run

HELP = "Stop a run, and wait until it has stopped."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("run", help="id, or the beginning of an id")
    parser.add_argument("--no-wait", action="store_true", help="only ask it to stop")


def run(chosen: argparse.Namespace) -> int:
    run = services.run_cancel(run=lookup.run(chosen.run), actor=from_shell())
    if run.is_active and not chosen.no_wait:
        snapshot = follow.until_cancelled(run.pk)
        if snapshot["status"] != Run.Status.CANCELLED:
            raise Failure(f"The run ended before it could be stopped: it {snapshot['status_label'].lower()}.")
    state = "is asked to stop" if run.is_active and chosen.no_wait else "is cancelled"
    print(f"Run {lookup.short(run.pk)} {state}.")
    return 0
