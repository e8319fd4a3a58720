"""`forgelab device add`: a machine that lets a key or a password in, directly or through another; or this one."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup, tables
from forgelab.cli.base import Failure
from forgelab.cli.device import host_keys as host_key_options
from forgelab.cli.device import password
from forgelab.devices import services
from forgelab.devices.add_with_key import device_add_with_key
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.identities import identity_find
from forgelab.devices.models import Device

HELP = "Add a device that is reached by SSH, or this machine itself."


def add_arguments(parser: CommandParser) -> None:
    add = parser.add_argument
    add("name", help="lowercase letters, digits and hyphens, such as homelab-server-01")
    add("address", help="IPv4 or IPv6 address, or host name")
    add("--user", default="root", help="root, or a user with passwordless sudo (default: %(default)s)")
    add("--port", type=int, default=22, help="SSH port (default: %(default)s)")
    add("--via", metavar="DEVICE", help="the device through which it is reached (jump host)")
    add("--local", action="store_true", help="it is the machine that ForgeLab runs on: no SSH is used")
    add("--key", type=Path, metavar="FILE", help="private SSH key to log in with (default: ForgeLab's own)")
    add("--passphrase-file", type=Path, metavar="FILE", help="its first line opens the key; without it you are asked")
    host_key_options.add_arguments(parser)
    password.add_arguments(parser)


def run(chosen: argparse.Namespace) -> None:
    if Device.objects.filter(name=chosen.name).exists():
        raise Failure(f"There is a device {chosen.name} already. Show it: forgelab device show {chosen.name}")
    try:
        device = _this_machine(chosen) if chosen.local else _by_ssh(chosen)
    except (RuntimeError, ValueError) as error:
        raise Failure(f"{chosen.address} answers, but is no usable device: {error}.") from None
    print(f"{device.name} is added: {tables.machine(device)}.")


def _this_machine(chosen: argparse.Namespace) -> Device:
    given = {"--via": chosen.via, "--key": chosen.key, "--passphrase-file": chosen.passphrase_file}
    given |= {"--password": password.is_wanted(chosen), "--fingerprint": chosen.fingerprint}
    if meaningless := [option for option, value in given.items() if value]:
        raise Failure(f"{', '.join(meaningless)}: with --local nobody logs in by SSH. Leave it out.")
    return services.device_add(
        name=chosen.name, address=chosen.address, host_keys=[], connection=Device.Connection.LOCAL, actor=from_shell()
    )


def _by_ssh(chosen: argparse.Namespace) -> Device:
    jump = lookup.device(chosen.via) if chosen.via else None
    wanted = Device(name=chosen.name, address=chosen.address, user=chosen.user, port=chosen.port, jump=jump)
    wanted.clean_fields(exclude={"identity", "host_keys"})  # before a passphrase and a yes are asked for
    private_key, passphrase = _key(chosen)
    host_keys = host_key_options.accepted(chosen.address, chosen.port, chosen, jump=jump)
    if password.is_wanted(chosen):
        return password.device_add(chosen, host_keys, jump=jump)
    return _by_key(chosen, host_keys, jump, private_key, passphrase)


def _by_key(
    chosen: argparse.Namespace, host_keys: list[HostKey], jump: Device | None, private_key: str, passphrase: str
) -> Device:
    return device_add_with_key(
        name=chosen.name, address=chosen.address, user=chosen.user, port=chosen.port, host_keys=host_keys, jump=jump,
        private_key=private_key, passphrase=passphrase, actor=from_shell(),
    )  # fmt: skip


def _key(chosen: argparse.Namespace) -> tuple[str, str]:
    """The private key's text and its passphrase, tried before anything else is asked; empty for ForgeLab's own key."""
    if not chosen.key:
        return "", ""
    private_key = chosen.key.expanduser().read_text(errors="replace")
    given = _first_line(chosen.passphrase_file)
    try:
        identity_find(private_key, given)
    except ValidationError as error:
        if "passphrase" not in error.message_dict or given:
            raise
        given = _asked(chosen.key)
        identity_find(private_key, given)
    return private_key, given


def _first_line(path: Path | None) -> str:
    lines = path.expanduser().read_text().splitlines() if path else []
    return lines[0] if lines else ""


def _asked(path: Path) -> str:
    if not sys.stdin.isatty():
        raise Failure(
            f"{path} is protected by a passphrase, and nobody is here to type it. Give it in a file that only you may "
            "read: --passphrase-file FILE"
        )
    return getpass.getpass(f"Passphrase of {path} (it is not stored): ")
