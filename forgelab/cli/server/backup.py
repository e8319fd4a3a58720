"""`forgelab server backup`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.cli.server import options
from forgelab.cli.server.backup_run import followed
from forgelab.databases import backups

HELP = "Back up a server's databases now."


def add_arguments(parser: CommandParser) -> None:
    options.add_server(parser)
    parser.add_argument("--database", action="append", default=[], help="only this one; may be repeated")
    options.add_no_wait(parser)


def run(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    return followed(backups.backup_create(server=server, databases=chosen.database, actor=from_shell()), chosen)
