"""`forgelab server show`."""

from __future__ import annotations

import argparse
import json

from django.core.management.base import CommandParser

from forgelab.cli import lookup, tables
from forgelab.cli.server import data, options
from forgelab.recipes.placeholders import as_text
from forgelab.servers import selectors
from forgelab.servers.changes.reports import drift_sentence
from forgelab.servers.models import Server

HELP = "Show one server."


def add_arguments(parser: CommandParser) -> None:
    options.add_server(parser)


def run(chosen: argparse.Namespace) -> None:
    server = lookup.server(chosen.server)
    if chosen.json:
        print(json.dumps(data.server_data(server), indent=2))
        return
    run = selectors.server_latest_run(server)
    tables.pairs(
        [
            ("Name", server.name), ("Id", server.pk), ("Type", server.server_type),
            ("Environment", server.get_environment_display()),
            ("Status", server.get_status_display()), ("Because", server.status_detail),
            ("Drift", drift_sentence(server)), ("Device", f"{server.device.name} ({server.device.address})"),
            ("Placement", _placement(server)), ("Provisioned", tables.ago(server.provisioned_at)),
            ("Latest run", f"{lookup.short(run.pk)} {run.get_status_display().lower()}" if run else None),
            *(("Component", component) for component in server.components.all()),
            *(("Option", f"{name} = {as_text(value)}") for name, value in server.config.items()),
        ]
    )  # fmt: skip


def _placement(server: Server) -> str:
    """Why it is where it is, as it was when the device was chosen."""
    known = server.placement
    if "points" not in known:
        return ""
    how = "recommended" if known.get("automatic") else "chosen"
    return f"score {known['points']}/100, {how}: {'; '.join(known.get('reasons', []))}"
