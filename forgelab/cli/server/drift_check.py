"""`forgelab server drift-check`: whether the device is still as planned."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.cli.base import console
from forgelab.cli.server import options
from forgelab.cli.server.dry_run import followed
from forgelab.servers.changes import drift
from forgelab.servers.changes.reports import drift_sentence
from forgelab.servers.models import Server

HELP = "Check whether a server's device is still as planned; the exit status is 1 when it is not."


def add_arguments(parser: CommandParser) -> None:
    options.add_server(parser)
    parser.add_argument("--daily", choices=("on", "off"), help="only say whether to check every day from now on")


def run(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    if chosen.daily:
        drift.server_daily_check(server=server, enabled=chosen.daily == "on", actor=from_shell())
        how_often = "every day" if chosen.daily == "on" else "only when you ask"
        print(f"{server.name} is checked for drift {how_often} from now on.")
        return 0
    found = followed(drift.server_drift_check(server=server, actor=from_shell()), chosen.json)
    if not chosen.json:
        console().print(drift_sentence(Server.objects.get(pk=server.pk)))
    return 1 if found["count"] else 0
