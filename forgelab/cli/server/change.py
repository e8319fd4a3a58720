"""`forgelab server change`: other options for a server that is there."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.cli.server import options, outcome
from forgelab.servers.provisioning import services

HELP = "Change options of a server and apply them."


def add_arguments(parser: CommandParser) -> None:
    options.add_server(parser)
    parser.add_argument("options", nargs="+", type=options.option, metavar="OPTION=VALUE", help="the options to change")
    parser.add_argument("--hide-credentials", action="store_true", help="do not print passwords at the end")
    options.add_consent(parser)
    options.add_no_wait(parser)


def run(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    run = services.server_change(
        server=server,
        changes=options.config(server.server_type, chosen.options),
        confirm=chosen.confirm,
        without_backup=chosen.without_backup,
        purge=chosen.purge,
        actor=from_shell(),
    )
    return outcome.provisioned(run, chosen, f"Changing {server.name}")
