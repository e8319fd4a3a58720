"""The end of a verb that provisions: wait for the run, or only queue it; then show the result."""

from __future__ import annotations

import argparse
import json

from forgelab.cli import follow, lookup
from forgelab.cli.base import CANCELLED, Failure, console
from forgelab.cli.drawing import Snapshot
from forgelab.cli.server import data, result
from forgelab.runs import selectors as runs
from forgelab.runs.models import Run
from forgelab.servers.models import Server


def provisioned(run: Run, chosen: argparse.Namespace, what: str) -> int:
    """Follow a provisioning run as the arguments say, and print its result; `what` is its headline. The exit status."""
    if chosen.no_wait:
        return queued(run, chosen.json)
    if not chosen.json:
        console().print(f"{what} on {run.device.name} (run {lookup.short(run.pk)})\n")
    return _print_result(follow.follow(run.pk, cancel_on_interrupt=True, silent=chosen.json), chosen)


def _print_result(snapshot: Snapshot, chosen: argparse.Namespace) -> int:
    succeeded = snapshot["status"] == "succeeded"
    server = Server.objects.select_related("device").get(pk=snapshot["subject_id"])
    if chosen.json:
        print(json.dumps({"run": snapshot, "server": data.server_data(server)}, indent=2))
    elif succeeded:
        result.success(server, hide_credentials=chosen.hide_credentials)
    if succeeded:
        return 0
    if snapshot["status"] == "cancelled":
        again = f"forgelab server provision {server.server_type} --name {server.name}"
        print(f"Cancelled. Provision again at any time: {again}")
        return CANCELLED
    raise Failure(result.failure(snapshot))


def queued(run: Run, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"run": runs.run_snapshot(run_id=run.pk)}, indent=2))
        return 0
    short = lookup.short(run.pk)
    print(f"{run.title} is queued as run {short}. Follow it: forgelab run watch {short}")
    follow.check_worker(run.pk)
    return 0
