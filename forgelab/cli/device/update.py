"""`forgelab device update`: whether a device sleeps, and by which address it is woken."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.cli.base import Failure
from forgelab.devices import update

HELP = "Say whether a device may sleep, and by which address it is woken."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("device", help="name, id or the beginning of an id")
    parser.add_argument(
        "--sleeps", action=argparse.BooleanOptionalAction, default=None,
        help="it may sleep: it is woken before a run, and its silence counts against nothing",
    )  # fmt: skip
    parser.add_argument(
        "--mac-address", metavar="MAC",
        help="address of the network card that wakes it, such as 52:54:00:12:34:56; empty: read at the next refresh",
    )  # fmt: skip


def run(chosen: argparse.Namespace) -> None:
    if chosen.sleeps is None and chosen.mac_address is None:
        raise Failure("Give what to change: --sleeps, --no-sleeps, --mac-address MAC.")
    device = lookup.device(chosen.device)
    update.device_update(device=device, sleeps=chosen.sleeps, mac_address=chosen.mac_address, actor=from_shell())
    if not device.sleeps:
        print(f"{device.name} is expected to be up.")
    elif device.mac_address:
        print(f"{device.name} may sleep, and is woken by {device.mac_address} before a run.")
    else:
        print(
            f"{device.name} may sleep. It cannot be woken yet: the address of its network card is read at the next "
            f"refresh while it is awake (forgelab device refresh {device.name})."
        )
