"""`forgelab server provision`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.cli.server import options, outcome
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.servers.spec.requests import changed

HELP = "Provision a server, or reprovision it."


def add_arguments(parser: CommandParser) -> None:
    add = parser.add_argument
    add("type", metavar="TYPE", help="server type, such as laravel-app-server")
    add("--name", required=True, help="its name: lowercase letters, digits and hyphens")
    add("--device", default="best", help="name or id of a device; best (the default) chooses one")
    add("--environment", default="", metavar="ENVIRONMENT",
        help=f"{', '.join(Server.Environment.values)}; by default what the name says")  # fmt: skip
    options.add_set(parser, "an option of the type; may be repeated")
    add("--json", action="store_true", help="print the result as JSON, and nothing else")
    options.add_no_wait(parser)
    add("--hide-credentials", action="store_true", help="do not print passwords at the end")


def run(chosen: argparse.Namespace) -> int:
    device = None if chosen.device == "best" else lookup.device(chosen.device)
    run = services.server_provision(
        server_type=chosen.type,
        name=chosen.name,
        device=device,
        config=_config(chosen),
        environment=chosen.environment,
        actor=from_shell(),
    )
    return outcome.provisioned(run, chosen, f"Provisioning {chosen.name}")


def _config(chosen: argparse.Namespace) -> Mapping[str, object]:
    """The options given; a server that is there already keeps the others as they are."""
    given = options.config(chosen.type, chosen.options)
    server = Server.objects.filter(name=chosen.name, server_type=chosen.type).first()
    recipe = recipe_catalog().recipes.get(chosen.type)
    return changed(server, given).config if server and recipe else given
