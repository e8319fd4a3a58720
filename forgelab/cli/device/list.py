"""`forgelab device list`."""

from __future__ import annotations

import argparse

from django.core.management.base import CommandParser

from forgelab.cli import tables
from forgelab.devices.models import Device

HELP = "List all devices."


def add_arguments(parser: CommandParser) -> None:
    """It takes none."""


def run(chosen: argparse.Namespace) -> None:
    rows = [
        (
            device.name, _where(device), tables.status(device.status, device.get_status_display()),
            f"{tables.gb(device.memory_available_mb)} of {tables.gb(device.memory_total_mb)}", device.cores or "?",
            tables.gb(device.disk_free_mb), device.distribution, tables.ago(device.seen_at),
        )
        for device in Device.objects.select_related("jump")
    ]  # fmt: skip
    columns = ("Name", "Address", "Status", "RAM free", "Cores", "Disk free", "System", "Seen")
    tables.show(columns, rows, "There is no device yet. Add one: forgelab device add NAME ADDRESS")


def _where(device: Device) -> str:
    if device.connection == Device.Connection.LOCAL:
        return f"{device.address} (this machine)"
    return f"{device.address} via {device.jump}" if device.jump else device.address
