"""`forgelab server credentials`."""

from __future__ import annotations

import argparse
import json

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.cli.base import console
from forgelab.cli.server import options, result
from forgelab.servers.credentials import server_reveal_credentials

HELP = "Show a server's credentials in clear."


def add_arguments(parser: CommandParser) -> None:
    options.add_server(parser)


def run(chosen: argparse.Namespace) -> None:
    server = lookup.server(chosen.server)
    if chosen.json:
        print(json.dumps(server_reveal_credentials(server=server, actor=from_shell()), indent=2))
        return
    lines = result.credential_lines(server)
    console().print("\n".join(lines).strip() or f"{server.name} has no credentials.")
