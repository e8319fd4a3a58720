"""`forgelab device set`: whether a device sleeps, and how it is woken. And what `device show` tells of a machine."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

from forgelab.cli import lookup, tables
from forgelab.cli.base import Failure
from forgelab.devices import sleeping
from forgelab.devices.models import Device


def add_verb(verb: Callable[..., Any]) -> None:
    change = verb("set", device_set, "Say whether a device may sleep, and by which address it is woken.")
    change.add_argument("device", help="name, id or the beginning of an id")
    change.add_argument(
        "--sleeps", action=argparse.BooleanOptionalAction, default=None,
        help="it may sleep: it is woken before a run, and its silence counts against nothing",
    )  # fmt: skip
    change.add_argument(
        "--mac-address", metavar="MAC",
        help="address of the network card that wakes it, such as 52:54:00:12:34:56; empty: read at the next look",
    )  # fmt: skip


def device_set(chosen: argparse.Namespace) -> None:
    if chosen.sleeps is None and chosen.mac_address is None:
        raise Failure("Give what to change: --sleeps, --no-sleeps, --mac-address MAC.")
    device = lookup.device(chosen.device)
    sleeping.device_sleep_set(device=device, sleeps=chosen.sleeps, mac_address=chosen.mac_address)
    if not device.sleeps:
        print(f"{device.name} is expected to be up.")
    elif device.mac_address:
        print(f"{device.name} may sleep, and is woken by {device.mac_address} before a run.")
    else:
        print(
            f"{device.name} may sleep. It cannot be woken yet: the address of its network card is read at the next "
            f"look while it is awake (forgelab device refresh {device.name})."
        )


def machine(device: Device) -> Iterator[tuple[str, object]]:
    """Labelled values of what the device is made of and how it does."""
    yield "Virtual", device.virtualisation
    for disk in device.disks:
        yield f"Disk {disk['name']}", f"{tables.gb(disk['size_mb'])} {disk['kind']} {disk['model']}".rstrip()
    yield "Temperature", None if device.temperature_celsius is None else f"{device.temperature_celsius:.0f} °C"
    yield "Up for", None if device.uptime_seconds is None else _long(device.uptime_seconds)
    yield "Answered", None if device.availability_percent is None else f"{device.availability_percent:.1f}% in 30 days"
    yield "Misses", f"{device.misses} in a row" if device.misses else None
    yield "Sleeps", "yes" if device.sleeps else None
    yield "Woken by", device.mac_address if device.sleeps else None
    yield "Ports", ", ".join(f"{row['port']} {row['process']}".rstrip() for row in device.listening)


def _long(seconds: int) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds // 60} min"
