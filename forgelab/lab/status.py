from __future__ import annotations

from collections.abc import Iterable, Sequence

from .device import LabDevice
from .sizes import format_size

HEADINGS = ("NAME", "ADDRESS", "IMAGE", "STATE", "MEMORY", "CPUS")


def status_row(device: LabDevice) -> list[str]:
    """One device as the cells of the status table; `-` stands for no limit."""
    used = format_size(device.group.memory_used()) if device.is_on else "-"
    limit = format_size(device.memory) if device.memory else "-"
    cpus = f"{device.cpus:g}" if device.cpus else "-"
    return [device.name, device.address, device.image, device.state, f"{used} / {limit}", cpus]


def table(rows: Iterable[Sequence[str]], headings: Sequence[str] = HEADINGS) -> str:
    """Columns as wide as their widest cell, two spaces apart."""
    lines = [list(headings), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
