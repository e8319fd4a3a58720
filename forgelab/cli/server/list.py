"""`forgelab server list`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.cli import tables
from forgelab.servers import selectors
from forgelab.servers.models import Server

HELP = "List all servers."


def add_arguments(parser: CommandParser) -> None:
    """It takes none."""


def run(chosen: argparse.Namespace) -> None:
    rows = [
        (
            server.name, server.server_type, server.device.name,
            tables.status(server.status, server.get_status_display()), _remark(server),
            ", ".join(str(component) for component in server.components.all()),
        )
        for server in selectors.server_list()
    ]  # fmt: skip
    empty = "There is no server yet. Provision one: forgelab server provision laravel-app-server --name NAME"
    tables.show(("Name", "Type", "Device", "Status", "Remark", "Components"), rows, empty)


def _remark(server: Server) -> str:
    """What a list has room for, of what is not as it should be."""
    if server.status_detail:
        return "the latest run did not succeed"
    return f"{server.drift_count} difference{'s' * (server.drift_count != 1)}" if server.drift_count else ""
