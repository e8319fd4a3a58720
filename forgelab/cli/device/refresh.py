"""`forgelab device refresh`: ask a device what it is and has now."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup, tables
from forgelab.cli.base import Failure
from forgelab.devices import services

HELP = "Read a device's facts again."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("device", help="name, id or the beginning of an id")


def run(chosen: argparse.Namespace) -> None:
    device = services.device_refresh(device=lookup.device(chosen.device), actor=from_shell())
    if device.misses:
        raise Failure(device.status_detail)
    print(f"{device.name} is reachable: {tables.machine(device)}.")
