"""`forgelab device show`: what a machine is, and whether it is well."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from django.core.management.base import CommandParser

from forgelab.cli import lookup, tables
from forgelab.devices import fingerprints
from forgelab.devices.models import Device

HELP = "Show one device."


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("device", help="name, id or the beginning of an id")


def run(chosen: argparse.Namespace) -> None:
    device = lookup.device(chosen.device)
    is_local = device.connection == Device.Connection.LOCAL
    login = f"{device.user}@{device.address}"
    tables.pairs(
        [
            ("Name", device.name), ("Id", device.pk),
            ("Address", f"{login}, this machine" if is_local else f"{login} port {device.port}"),
            ("Reached through", device.jump),
            ("Status", device.get_status_display()), ("Because", device.status_detail),
            ("Seen", tables.ago(device.seen_at)),
            ("System", f"{device.distribution} {device.distribution_version}".strip()), ("Model", device.model),
            ("Cores", device.cores),
            ("RAM", f"{tables.gb(device.memory_available_mb)} of {tables.gb(device.memory_total_mb)} free"),
            ("Disk", f"{tables.gb(device.disk_free_mb)} of {tables.gb(device.disk_total_mb)} free"),
            ("Disk kind", device.get_disk_kind_display()),
            ("Load", None if device.load_percent is None else f"{device.load_percent:.0f}%"),
            *_machine(device),
            *(("Host key", f"{key.fingerprint} {key.kind}") for key in fingerprints.parse(device.host_keys)),
            ("Logs in with", device.identity and device.identity.public_key),
            ("Servers", ", ".join(s.name for s in device.servers.all())),
            ("Jump host for", ", ".join(other.name for other in device.behind.all())),
        ]
    )  # fmt: skip


def _machine(device: Device) -> Iterator[tuple[str, object]]:
    """Labelled values of what the device is made of, and its health."""
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
