"""`forgelab audit`: who did what."""

from __future__ import annotations

import argparse
import json

from django.core.management.base import CommandParser
from django.utils import timezone

from forgelab.accounts import selectors
from forgelab.accounts.actors import from_shell
from forgelab.accounts.audit import titles
from forgelab.accounts.models import AuditEntry
from forgelab.accounts.policy import check
from forgelab.cli import tables
from forgelab.cli.base import ForgeCommand


class Command(ForgeCommand):
    help = "Show who did what, newest first. Nobody can change or delete an entry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--actor", default="", help="only what this user, token or login did")
        parser.add_argument("--action", default="", choices=["", *sorted(titles())], metavar="ACTION",
                            help="only this action, such as device.remove")  # fmt: skip
        parser.add_argument("--object", default="", help="only what was done to this device, server, run (name or id)")
        parser.add_argument("--limit", type=int, default=50, help="how many (default: %(default)s)")
        parser.add_argument("--json", action="store_true", help="print it as JSON")

    def perform(self, chosen: argparse.Namespace) -> None:
        check(from_shell(), "audit.view")
        entries = selectors.audit_list(actor=chosen.actor, action=chosen.action, obj=chosen.object)
        entries = entries[: max(1, chosen.limit)]
        if chosen.json:
            print(json.dumps([_data(entry) for entry in entries], indent=2))
            return
        rows = [
            (
                f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}", entry.actor, entry.origin, entry.action,
                f"{entry.object_type} {entry.object_name}".strip(), "; ".join(map(_words, entry.changes())),
            )
            for entry in entries
        ]  # fmt: skip
        columns = ("When", "Who", "From", "Action", "What", "Before and after")
        tables.show(columns, rows, "Nothing like this was done yet.")


def _words(change: tuple[str, object, object]) -> str:
    name, was, now = change
    return f"{name}: {now}" if was is None else f"{name}: {was} -> {'gone' if now is None else now}"


def _data(entry: AuditEntry) -> dict[str, object]:
    names = ("id", "actor_kind", "actor", "origin", "action", "object_type", "object_id", "object_name", "before",
             "after")  # fmt: skip
    return {"at": entry.at.isoformat()} | {name: getattr(entry, name) for name in names}
