"""`forgelab server decommission`."""

from __future__ import annotations

import argparse
import json

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import follow, lookup
from forgelab.cli.base import CANCELLED, Failure, console
from forgelab.cli.server import options, outcome, result
from forgelab.servers.removal import decommission

HELP = "Decommission a server: its services are stopped, its configuration is removed."
LEAVING = "its services go on running there, its configuration and data stay, and its passwords are forgotten here"


def add_arguments(parser: CommandParser) -> None:
    options.add_server(parser)
    options.add_consent(parser)
    options.add_no_wait(parser)
    parser.add_argument("--forget", action="store_true", help=f"do not touch the device (it is gone): {LEAVING}")


def run(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    if chosen.forget:
        decommission.server_forget(server=server, confirm=chosen.confirm, actor=from_shell())
        print(f"{server.name} is forgotten. Nothing on {server.device.name} was touched: {LEAVING}.")
        return 0
    run = decommission.server_decommission(
        server=server,
        confirm=chosen.confirm,
        without_backup=chosen.without_backup,
        purge=chosen.purge,
        actor=from_shell(),
    )
    if chosen.no_wait:
        return outcome.queued(run, chosen.json)
    snapshot = follow.follow(run.pk, cancel_on_interrupt=True, silent=chosen.json)
    if chosen.json:
        print(json.dumps({"run": snapshot}, indent=2))
    if snapshot["status"] == "cancelled":
        return CANCELLED
    if snapshot["status"] != "succeeded":
        raise Failure(result.failure(snapshot))
    if not chosen.json:
        kept = "" if chosen.purge else " Packages and data are still there."
        console().print(f"{server.name} is decommissioned; {server.device.name} is free for another server.{kept}")
    return 0
