from __future__ import annotations

from collections.abc import Iterable, Sequence

from .device import LabDevice
from .sizes import format_size
from .snapshots import Snapshot

HEADINGS = ("NAME", "ADDRESS", "IMAGE", "FROM", "STATE", "MEMORY", "CPUS")
SNAPSHOT_HEADINGS = ("SNAPSHOT", "OF", "IMAGE", "MADE", "BELOW")


def status_row(device: LabDevice) -> list[str]:
    """One device as the cells of the status table; `-` stands for no limit."""
    used = format_size(device.group.memory_used()) if device.is_on else "-"
    limit = format_size(device.memory) if device.memory else "-"
    cpus = f"{device.cpus:g}" if device.cpus else "-"
    source = device.config.source or "-"
    return [device.name, device.address, device.image, source, device.state, f"{used} / {limit}", cpus]


def snapshot_row(snapshot: Snapshot, users: Sequence[str]) -> list[str]:
    """One snapshot as the cells of the list: when it was made, and what stands on it."""
    made = snapshot.made[:16].replace("T", " ")
    return [snapshot.name, snapshot.device, snapshot.image, made, ", ".join(users) or "-"]


def table(rows: Iterable[Sequence[str]], headings: Sequence[str] = HEADINGS) -> str:
    """Columns as wide as their widest cell, two spaces apart."""
    lines = [list(headings), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
