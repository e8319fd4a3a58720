"""`forgelab server backups`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from rich.text import Text

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup, tables
from forgelab.cli.base import Failure, console, validation_text
from forgelab.cli.server import options
from forgelab.databases import backups
from forgelab.databases.backup_listing import Listing
from forgelab.devices.ssh import DeviceUnreachable
from forgelab.servers.models import Server

HELP = "List a server's backups."


def add_arguments(parser: CommandParser) -> None:
    options.add_server(parser)


def run(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    listing, read_at = _listing(server)
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


def _listing(server: Server) -> tuple[Listing, Any]:
    """What the device says; what is known of it when it cannot be asked."""
    if not backups.has_backups(server):
        raise Failure(backups.without_backups(server))
    try:
        return backups.backup_refresh(server=server, actor=from_shell()), timezone.now()
    except (DeviceUnreachable, ValidationError) as error:
        listing, read_at = backups.backups_known(server)
        reason = validation_text(error) if isinstance(error, ValidationError) else str(error)
        print(f"forgelab: {reason}\nThis was known {tables.ago(read_at)}:", file=sys.stderr)
        return listing, read_at
