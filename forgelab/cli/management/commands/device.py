"""`forgelab device`: the machines of the homelab."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.cli import adding, device_views, joining, keys, lookup, sleep, tables
from forgelab.cli.base import Failure, ForgeCommand, verbs
from forgelab.devices import fingerprints, services
from forgelab.devices.models import Device


class Command(ForgeCommand):
    help = "Add, join, list, show, set, refresh, trust and remove devices."

    def add_arguments(self, parser: CommandParser) -> None:
        verb = verbs(parser)
        adding.add_verb(verb)
        joining.add_verb(verb)
        sleep.add_verb(verb)
        verb("list", device_views.device_list, "List all devices.")
        for name, run, help in (
            ("show", device_views.device_show, "Show one device."),
            ("refresh", device_refresh, "Look at a device again."),
            ("remove", device_remove, "Forget a device; nothing on it is changed."),
        ):
            verb(name, run, help).add_argument("device", help="name, id or the beginning of an id")
        trust = verb("trust", device_trust, "Pin the host key that a device shows now, after it was installed anew.")
        trust.add_argument("device", help="name, id or the beginning of an id")
        keys.add_arguments(trust)


def device_refresh(chosen: argparse.Namespace) -> None:
    device = services.device_refresh(device=lookup.device(chosen.device))
    if device.misses:
        raise Failure(device.status_detail)
    print(f"{device.name} is reachable: {tables.machine(device)}.")


def device_trust(chosen: argparse.Namespace) -> int:
    device = lookup.device(chosen.device)
    if device.connection == Device.Connection.LOCAL:
        raise Failure(f"{device.name} is this machine: it is not reached by SSH and has no host key to trust.")
    for key in fingerprints.parse(device.host_keys):
        print(f"Pinned until now: {key.fingerprint}  {key.kind}", flush=True)
    services.device_trust(device=device, host_keys=keys.accepted(device.address, device.port, chosen, jump=device.jump))
    print(f"The host key of {device.name} is pinned.")
    device_refresh(chosen)
    return 0


def device_remove(chosen: argparse.Namespace) -> None:
    device = lookup.device(chosen.device)
    services.device_remove(device=device)
    print(f"{device.name} is forgotten. Nothing on it was changed.")
