"""Tables and figures as the commands print them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils import timezone
from rich import box
from rich.table import Table
from rich.text import Text

from forgelab.cli.base import console
from forgelab.devices.models import Device

COLOURS = {
    "succeeded": "green", "active": "green", "reachable": "green", "running": "cyan", "provisioning": "cyan",
    "failed": "red", "lost": "red", "unreachable": "red", "cancelled": "yellow",
}  # fmt: skip


def show(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table, or the sentence `empty` when it has no rows."""
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    console().print(table if table.row_count else empty)


def pairs(rows: Iterable[tuple[str, object]]) -> None:
    """Print labelled values, those without one left out."""
    shown = [(label, str(value)) for label, value in rows if value not in (None, "")]
    width = max((len(label) for label, _ in shown), default=0)
    for label, value in shown:
        console().print(f"{label + ':':<{width + 1}} {value}")


def status(value: str, label: str) -> Text:
    return Text(label, style=COLOURS.get(value, ""))


def gb(mb: float | None) -> str:
    return "?" if mb is None else f"{mb / 1024:.1f} GB"


def machine(device: Device) -> str:
    """What a device is, in a line: `Debian 12, 4 cores, 16.0 GB RAM, 200.0 GB disk free`."""
    system = f"{device.distribution} {device.distribution_version}".strip().capitalize()
    return f"{system}, {device.cores} cores, {gb(device.memory_total_mb)} RAM, {gb(device.disk_free_mb)} disk free"


def seconds(value: float | None) -> str:
    """`4.2 s`, `1 min 05 s`; nothing for None."""
    if value is None:
        return ""
    return f"{value:.1f} s" if value < 60 else f"{int(value // 60)} min {int(value % 60):02} s"


def ago(moment: datetime | None) -> str:
    """How long ago: `5 min ago`."""
    if moment is None:
        return "never"
    passed = (timezone.now() - moment).total_seconds()
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "min")):
        if passed >= 2 * size or (unit == "min" and passed >= size):
            return f"{int(passed // size)} {unit} ago"
    return "just now"
