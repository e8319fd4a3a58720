"""`forgelab device list` and `show`."""

from __future__ import annotations

import argparse

from forgelab.cli import lookup, sleep, tables
from forgelab.devices import fingerprints
from forgelab.devices.models import Device


def device_list(chosen: argparse.Namespace) -> None:
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


def device_show(chosen: argparse.Namespace) -> None:
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
            *sleep.machine(device),
            *(("Host key", f"{key.fingerprint} {key.kind}") for key in fingerprints.parse(device.host_keys)),
            ("Logs in with", device.identity and device.identity.public_key),
            ("Servers", ", ".join(s.name for s in device.servers.all())),
            ("Leads to", ", ".join(other.name for other in device.behind.all())),
        ]
    )  # fmt: skip
