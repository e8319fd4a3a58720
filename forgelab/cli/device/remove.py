"""`forgelab device remove`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.devices import services

HELP = "Forget a device; nothing on it is changed."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("device", help="name, id or the beginning of an id")


def run(chosen: argparse.Namespace) -> None:
    device = lookup.device(chosen.device)
    services.device_remove(device=device, actor=from_shell())
    print(f"{device.name} is forgotten. Nothing on it was changed.")
