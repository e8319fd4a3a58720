"""Tables of figures: printed as they come, and kept in docs/bench.md under the name of the part that made them."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "bench.md"
HEAD = """\
# What ForgeLab costs

Measured and written by `make bench` on one machine, which is the control machine and all the devices at once (lab
devices, see `forgelab lab --help`). Seconds depend on the machine and on what else it does: look at the ratios. The
load is the average of waiting processes in the last minute, before and after a part; the bench makes some of it.
"""


@dataclass
class Table:
    """A table with a sentence above it. Cells may be numbers: they are aligned to the right."""

    about: str
    columns: Sequence[str]
    rows: list[Sequence[object]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        self.rows.append(cells)

    def __str__(self) -> str:
        cells = [[_text(cell) for cell in row] for row in self.rows]
        columns = [
            _column([title, *(row[n] for row in cells)], all(_is_figure(row[n]) for row in self.rows))
            for n, title in enumerate(self.columns)
        ]
        return "\n".join([self.about, "", *(f"| {' | '.join(line)} |" for line in zip(*columns, strict=True)), ""])


def _column(cells: list[str], figures: bool) -> list[str]:
    """The cells padded to one width, with Markdown's rule below the first."""
    width = max(3, *map(len, cells))
    rule = "-" * (width - 1) + (":" if figures else "-")
    padded = [cell.rjust(width) if figures else cell.ljust(width) for cell in cells]
    return [padded[0], rule, *padded[1:]]


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def _is_figure(cell: object) -> bool:
    return cell is None or isinstance(cell, int | float)


def percentile(values: Iterable[float], percent: float) -> float:
    """The value that `percent` of 100 of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent) // 100) - 1)]


def middle(values: Iterable[float]) -> float:
    return float(median(values))


def load() -> float:
    return os.getloadavg()[0]


def machine() -> str:
    """The machine in a few words, without its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    info = Path("/proc/cpuinfo").read_text()
    model = match[1] if (match := re.search(r"model name\s*:\s*(.+)", info)) else platform.machine()
    kernel, python = platform.release().split("-")[0], platform.python_version()
    return f"{os.cpu_count()} CPUs ({model}), {memory:.0f} GB, Linux {kernel}, Python {python}"


def measure(part: str, title: str, make: Callable[[], Iterable[Table]]) -> None:
    """Perform a part, print its tables as they come, and put them into the document in place of its last figures."""
    print(f"\n## {title}\n", flush=True)
    before, texts = load(), []
    for table in make():
        texts.append(str(table))
        print(texts[-1], flush=True)
    note = f"<!-- {part} --> {machine()}; load {before:.1f} before, {load():.1f} after.\n"
    print(note.partition("--> ")[2])
    _keep(part, "\n".join([f"## {title}\n", note, *texts]))


def _keep(part: str, text: str) -> None:
    old = DOCUMENT.read_text() if DOCUMENT.exists() else HEAD
    sections = re.split(r"(?m)^(?=## )", old)[1:]
    mark = f"<!-- {part} -->"
    if any(mark in section for section in sections):
        sections = [text if mark in section else section for section in sections]
    else:
        sections.append(text)
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text("\n".join([HEAD, *(section.strip() + "\n" for section in sections)]))
