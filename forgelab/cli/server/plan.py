"""`forgelab server plan`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.cli.base import console
from forgelab.cli.server import options, outcome
from forgelab.cli.server.dry_run import followed
from forgelab.servers.changes import dry_run

HELP = "Show what provisioning a server would change on its device, changing nothing."


def add_arguments(parser: CommandParser) -> None:
    options.add_server(parser)
    options.add_set(parser, "as if this option were so; may be repeated")
    options.add_no_wait(parser)


def run(chosen: argparse.Namespace) -> int:
    server = lookup.server(chosen.server)
    run = dry_run.server_plan(
        server=server, changes=options.config(server.server_type, chosen.options), actor=from_shell()
    )
    if chosen.no_wait:
        return outcome.queued(run, chosen.json)
    found = followed(run, chosen.json)
    if found and not chosen.json and found["count"]:
        pairs = " ".join(f"{name}={value}" for name, value in chosen.options)
        apply = f"change {server.name} {pairs}" if pairs else f"provision {server.server_type} --name {server.name}"
        console().print(f"To apply it: forgelab server {apply}")
    return 0
