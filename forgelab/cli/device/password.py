"""`forgelab device add --password`: asking for a password that is used once."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli.base import Failure
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.models import Device


def add_arguments(parser: CommandParser) -> None:
    """No option takes the password itself: everybody on this machine can read the arguments of its processes."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--password", action="store_true", help="ask for the user's password, use it once to put ForgeLab's key there"
    )
    how.add_argument("--password-file", type=Path, metavar="FILE", help="the same, from the first line of a file")


def is_wanted(chosen: argparse.Namespace) -> bool:
    return bool(chosen.password or chosen.password_file)


def device_add(chosen: argparse.Namespace, host_keys: list[HostKey], jump: Device | None = None) -> Device:
    """Add the device that `chosen` names (`name`, `address`, `user`, `port`) by the password that the user gives."""
    from forgelab.devices import passwords  # here: asyncssh takes long to import, and only this needs it

    if getattr(chosen, "key", None):
        raise Failure("Give --key or --password, not both: with a password ForgeLab puts its own key there.")
    return passwords.device_add_with_password(
        name=chosen.name, address=chosen.address, user=chosen.user, port=chosen.port, host_keys=host_keys, jump=jump,
        password=_password(chosen), actor=from_shell(),
    )  # fmt: skip


def _password(chosen: argparse.Namespace) -> str:
    if chosen.password_file:
        lines = chosen.password_file.expanduser().read_text().splitlines()
        return lines[0] if lines else ""
    if not sys.stdin.isatty():
        raise Failure("Nobody is here to type the password. Give it in a file that only you may read: --password-file")
    return getpass.getpass(f"Password of {chosen.user} on {chosen.address}: ")
