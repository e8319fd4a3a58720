"""Following a run that backs up or restores, to its end."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.template.defaultfilters import filesizeformat

from forgelab.cli import follow, lookup
from forgelab.cli.base import CANCELLED, Failure, console
from forgelab.cli.server import outcome, result
from forgelab.databases import backups
from forgelab.runs.models import Run


def followed(run: Run, chosen: argparse.Namespace) -> int:
    short = lookup.short(run.pk)
    if chosen.no_wait:
        return outcome.queued(run, chosen.json)
    if not chosen.json:
        console().print(f"{run.title} on {run.device.name} (run {short})\n")
    snapshot = follow.follow(run.pk, cancel_on_interrupt=True, silent=chosen.json)
    if chosen.json:
        print(json.dumps({"run": snapshot}, indent=2))
    elif snapshot["status"] == Run.Status.SUCCEEDED:
        console().print("\n" + "\n".join(_outcome(snapshot["outcome"])))
    if snapshot["status"] == Run.Status.SUCCEEDED:
        return 0
    if snapshot["status"] == Run.Status.CANCELLED:
        print("Cancelled. The databases are as they were, and so are the earlier backups.")
        return CANCELLED
    raise Failure(result.failure(snapshot))


def _outcome(outcome: dict[str, Any]) -> list[str]:
    lines = []
    for backup in backups.read_backups((outcome.get("backups") or {}).get("made")):
        lines.append(f"{backup.database}: {filesizeformat(backup.size_bytes)}, verified (backup {backup.id})")
    if restored := outcome.get("restored"):
        lines.append(f"{restored['database']} is restored from the backup {restored['backup']}.")
        if restored.get("kept"):
            lines.append(f"What was there before is kept as the database {restored['kept']}. Once it is not needed any")
            lines.append(f"more, on the device: sudo forgelab-backup drop {restored['kept']}")
    return lines
