"""`forgelab run`: what ForgeLab did and is doing."""

from __future__ import annotations

import argparse
import json

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import drawing, follow, lookup, success, tables
from forgelab.cli.base import Failure, ForgeCommand, verbs
from forgelab.runs import selectors, services
from forgelab.runs.models import Run


class Command(ForgeCommand):
    help = "List, show, watch and cancel runs."

    def add_arguments(self, parser: CommandParser) -> None:
        verb = verbs(parser)
        listing = verb("list", run_list, "List runs, newest first.")
        listing.add_argument("--status", choices=Run.Status.values, help="only these")
        listing.add_argument("--device", help="only those on this device")
        listing.add_argument("--limit", type=int, default=20, help="how many (default: %(default)s)")
        show = verb("show", run_show, "Show one run with its steps.")
        show.add_argument("--json", action="store_true", help="print it as JSON")
        cancel = verb("cancel", run_cancel, "Stop a run, and wait until it has stopped.")
        cancel.add_argument("--no-wait", action="store_true", help="only ask it to stop")
        for sub in (show, verb("watch", run_watch, "Follow a run to its end; Ctrl-C only stops the watching."), cancel):
            sub.add_argument("run", help="id, or the beginning of an id")


def run_list(chosen: argparse.Namespace) -> None:
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


def run_show(chosen: argparse.Namespace) -> None:
    snapshot = selectors.run_snapshot(run_id=lookup.run(chosen.run).pk)
    if chosen.json:
        print(json.dumps(snapshot, indent=2))
        return
    tables.pairs(
        [
            ("Run", snapshot["id"]), ("What", snapshot["title"]), ("Device", snapshot["device"]["name"]),
            ("Status", snapshot["status_label"]), ("Because", snapshot["status_detail"]),
            ("Asked by", snapshot["requested_by"]),
            ("Took", tables.seconds(snapshot["seconds"])), ("Repeated as", snapshot["retry"]),
        ]
    )  # fmt: skip
    for step in snapshot["steps"]:
        print(f"  {drawing.plain_line(step)}")
        if step["detail"]:
            print("    " + step["detail"].strip().replace("\n", "\n    "))


def run_watch(chosen: argparse.Namespace) -> int:
    snapshot = follow.follow(lookup.run(chosen.run).pk, cancel_on_interrupt=False)
    if snapshot["status"] == "succeeded":
        print(
            f"{snapshot['title']} on {snapshot['device']['name']}: succeeded in {tables.seconds(snapshot['seconds'])}."
        )
        return 0
    raise Failure(success.failure(snapshot))


def run_cancel(chosen: argparse.Namespace) -> int:
    run = services.run_cancel(run=lookup.run(chosen.run), actor=from_shell())
    if run.is_active and not chosen.no_wait:
        snapshot = follow.until_cancelled(run.pk)
        if snapshot["status"] != Run.Status.CANCELLED:
            raise Failure(f"The run ended before it could be stopped: it {snapshot['status_label'].lower()}.")
    state = "is asked to stop" if run.is_active and chosen.no_wait else "is cancelled"
    print(f"Run {lookup.short(run.pk)} {state}.")
    return 0
