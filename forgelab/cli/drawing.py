"""A run's steps as the terminal shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.text import Text

MARKS = {
    "succeeded": ("✔", "green"),
    "failed": ("✘", "red"),
    "stopped": ("■", "yellow"),
    "skipped": ("·", "bright_black"),
    "pending": (" ", ""),
}
BAR = 24  # characters
FINISHED = ("succeeded", "failed", "cancelled", "lost")

Snapshot = dict[str, Any]


def step_line(step: Snapshot) -> str:
    """`Installing Nginx (1/10) - 18 seconds`"""
    line = f"{step['title']} ({step['position']}/{step['count']})"
    if step["seconds"] is not None:
        line += f" - {step['seconds']:.1f} seconds"
    if step["status"] == "succeeded" and not step["changed"]:
        line += ", nothing to change"
    return line


def plain_line(step: Snapshot) -> str:
    """A finished step for a log file."""
    return f"{ {'succeeded': 'ok', 'failed': 'FAILED'}.get(step['status'], step['status']):<8} {step_line(step)}"


def newly_finished(snapshot: Snapshot, known: set[int]) -> Iterator[Snapshot]:
    """The steps that have ended since; `known` takes their positions in."""
    for step in snapshot["steps"]:
        if step["status"] in ("succeeded", "failed", "stopped") and step["position"] not in known:
            known.add(step["position"])
            yield step


class Picture:
    """The live picture of a run; the spinner keeps turning between two snapshots."""

    def __init__(self) -> None:
        self.spinner = Spinner("dots", style="cyan")

    def of(self, snapshot: Snapshot) -> RenderableType:
        lines: list[RenderableType] = [Text(_headline(snapshot), style="bold"), Text()]
        lines += [self._step(step) for step in snapshot["steps"]]
        return Group(*lines, Text(), Text(f"Progress: {bar(snapshot['percent'])} {snapshot['percent']}%"))

    def _step(self, step: Snapshot) -> RenderableType:
        if step["status"] == "running":
            self.spinner.update(text=Text(f"{step_line(step)}..."))
            return self.spinner
        mark, style = MARKS[step["status"]]
        return Text.assemble(
            (f"{mark} ", style), (step_line(step), "" if step["status"] != "pending" else "bright_black")
        )


def _headline(snapshot: Snapshot) -> str:
    where = f"{snapshot['title']} on {snapshot['device']['name']}"
    if snapshot["cancel_requested"] and snapshot["status"] == "running":
        return f"{where}: stopping"
    return f"{where}: {snapshot['status_label'].lower()}"


def bar(percent: int) -> str:
    """The specification's bar of full and light blocks."""
    full = round(BAR * percent / 100)
    return "█" * full + "░" * (BAR - full)
