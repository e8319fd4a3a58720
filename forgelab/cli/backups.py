"""`forgelab server backup`, `backups` and `restore`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from rich.text import Text

from forgelab.accounts.actors import from_shell
from forgelab.cli import follow, lookup, success, tables
from forgelab.cli.base import Failure, console, validation_text
from forgelab.devices.ssh import DeviceUnreachable
from forgelab.runs import selectors as runs
from forgelab.runs.models import Run
from forgelab.servers import backups
from forgelab.servers.backup_listing import Listing
from forgelab.servers.models import Server

CANCELLED = 130


def add_verbs(verb: Callable[..., CommandParser]) -> None:
    """The verbs that `forgelab server` has for backups."""
    backup = verb("backup", server_backup, "Back up a server's databases now.")
    backup.add_argument("--database", action="append", default=[], help="only this one; may be repeated")
    listing = verb("backups", server_backups, "List a server's backups.")
    restore = verb("restore", server_restore, "Restore a database; the present one is kept under a dated name.")
    restore.add_argument("--database", required=True, help="the database")
    restore.add_argument("--at", default="", metavar="ID", help="which backup (default: the newest sound one)")
    restore.add_argument("--into", default="", metavar="NEWNAME", help="make a new database instead of replacing")
    restore.add_argument("--engine", default="", help="postgresql or mysql, where both have a database of that name")
    restore.add_argument("--confirm", default="", metavar="NAME", help="the server's name, typed once more")
    for sub in (backup, restore):
        sub.add_argument("--no-wait", action="store_true", help="only queue the run")
    for sub in (backup, listing, restore):
        sub.add_argument("server", help="name, id or the beginning of an id")
        sub.add_argument("--json", action="store_true", help="print JSON, and nothing else")


def server_backup(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    return _follow(backups.backup_create(server=server, databases=chosen.database, actor=from_shell()), chosen)


def server_restore(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    run = backups.backup_restore(
        server=server, database=chosen.database, at=chosen.at, into=chosen.into, engine=chosen.engine,
        confirm=chosen.confirm, actor=from_shell(),
    )  # fmt: skip
    return _follow(run, chosen)


def _follow(run: Run, chosen: argparse.Namespace) -> int:
    short = lookup.short(run.pk)
    if chosen.no_wait:
        snapshot = runs.run_snapshot(run_id=run.pk)
        print(json.dumps({"run": snapshot}, indent=2) if chosen.json else _queued(run, short))
        return 0
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
    raise Failure(success.failure(snapshot))


def _queued(run: Run, short: str) -> str:
    return f"{run.title} is queued as run {short}. Follow it: forgelab run watch {short}"


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


def server_backups(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    listing, read_at = _look(server)
    if chosen.json:
        print(json.dumps({"read_at": read_at.isoformat() if read_at else None, **listing.to_json()}, indent=2))
        return 0
    rows = [
        (
            backup.database, backup.id, f"{timezone.localtime(backup.finished_at):%Y-%m-%d %H:%M}",
            filesizeformat(backup.size_bytes), tables.seconds(backup.seconds), backup.version,
            Text("verified", style="green") if backup.verified else Text("DAMAGED", style="red"),
        )
        for backup in listing.backups
    ]  # fmt: skip
    empty = f"{server.name} has no backup yet. Make one: forgelab server backup {server.name}"
    tables.show(("Database", "Id", "Made", "Size", "Took", "Engine", "State"), rows, empty)
    if due := (listing.timer or {}).get("next"):
        console().print(f"The next one is due {due}. To restore one:")
        console().print(f"  forgelab server restore {server.name} --database NAME --confirm {server.name}")
    return 0


def _look(server: Server) -> tuple[Listing, Any]:
    """What the device says; what is known of it when it cannot be asked."""
    if not backups.has_backups(server):
        raise Failure(backups.without_backups(server))
    try:
        return backups.backups_refresh(server=server), timezone.now()
    except (DeviceUnreachable, ValidationError) as error:
        listing, read_at = backups.backups_known(server)
        reason = validation_text(error) if isinstance(error, ValidationError) else str(error)
        print(f"forgelab: {reason}\nThis was known {tables.ago(read_at)}:", file=sys.stderr)
        return listing, read_at
