"""`forgelab server restore`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.cli.server import options
from forgelab.cli.server.backup_run import followed
from forgelab.databases import backups

HELP = "Restore a database; the present one is kept under a dated name."


def add_arguments(parser: CommandParser) -> None:
    options.add_server(parser)
    add = parser.add_argument
    add("--database", required=True, help="the database")
    add("--at", default="", metavar="ID", help="which backup (default: the newest sound one)")
    add("--into", default="", metavar="NEWNAME", help="make a new database instead of replacing")
    add("--engine", default="", help="postgresql or mysql, where both have a database of that name")
    add("--confirm", default="", metavar="NAME", help="the server's name, typed once more")
    options.add_no_wait(parser)


def run(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    run = backups.backup_restore(
        server=server, database=chosen.database, at=chosen.at, into=chosen.into, engine=chosen.engine,
        confirm=chosen.confirm, actor=from_shell(),
    )  # fmt: skip
    return followed(run, chosen)
