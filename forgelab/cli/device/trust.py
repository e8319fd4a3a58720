"""`forgelab device trust`: pin the host key that a device shows now."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.accounts.actors import from_shell
from forgelab.cli import lookup
from forgelab.cli.base import Failure
from forgelab.cli.device import host_keys, refresh
from forgelab.devices import fingerprints, services
from forgelab.devices.models import Device

HELP = "Pin the host key that a device shows now, after it was installed again."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("device", help="name, id or the beginning of an id")
    host_keys.add_arguments(parser)


def run(chosen: argparse.Namespace) -> int:
    device = lookup.device(chosen.device)
    if device.connection == Device.Connection.LOCAL:
        raise Failure(f"{device.name} is this machine: it is not reached by SSH and has no host key to trust.")
    for key in fingerprints.parse(device.host_keys):
        print(f"Pinned until now: {key.fingerprint}  {key.kind}", flush=True)
    services.device_trust(
        device=device,
        host_keys=host_keys.accepted(device.address, device.port, chosen, jump=device.jump),
        actor=from_shell(),
    )
    print(f"The host key of {device.name} is pinned.")
    refresh.run(chosen)
    return 0
