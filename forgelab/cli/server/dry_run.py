"""Waiting for a dry run and showing what it found: for `plan` and `drift-check`."""

from __future__ import annotations

import json
from typing import Any

from forgelab.cli import follow, lookup
from forgelab.cli.base import Failure, console
from forgelab.cli.server import plan_output, result
from forgelab.runs.models import Run
from forgelab.servers.changes.reports import plan_result


def followed(run: Run, as_json: bool) -> dict[str, Any]:
    """Wait for a plan and show it. Raises `Failure` when it could not be made."""
    if not as_json:
        console().print(f"{run.title} on {run.device.name} (run {lookup.short(run.pk)})\n")
    snapshot = follow.follow(run.pk, cancel_on_interrupt=True, silent=as_json)
    found = plan_result(run=Run.objects.get(pk=snapshot["id"]))
    if as_json:
        print(json.dumps({"run": snapshot, "plan": found}, indent=2))
    if snapshot["status"] != "succeeded":
        raise Failure(result.failure(snapshot))
    if not as_json:
        print()
        plan_output.show(found)
    return found
