"""A line of figures as the path of an SVG: drawn on the server, so that a page needs no script. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 288, 48  # units of the drawing; the page stretches it
MARGIN = 2  # units above and below, so that the line's own breadth is not cut off


@dataclass(frozen=True)
class Sparkline:
    """`line` and the `area` below it, as path data; empty when there is no figure at all."""

    line: str
    area: str


def draw(values: Sequence[float | None], lowest: float, highest: float) -> Sparkline:
    """The values from left to right between `lowest` at the bottom and `highest` at the top; what is beyond is cut off.

    None is a gap, and stays one: nobody knows what was there. A value between two gaps is a dot.
    """
    step = WIDTH / max(1, len(values) - 1)
    room = HEIGHT - 2 * MARGIN
    lines, areas = [], []
    for first, run in _runs(values):
        points = [
            (round((first + n) * step, 1), round(HEIGHT - MARGIN - room * _share(value, lowest, highest), 1))
            for n, value in enumerate(run)
        ]
        if len(points) == 1:
            lines.append(f"M{points[0][0]} {points[0][1]}h.01")
            continue
        way = "L".join(f"{x} {y}" for x, y in points)
        lines.append(f"M{way}")
        areas.append(f"M{points[0][0]} {HEIGHT}L{way}L{points[-1][0]} {HEIGHT}Z")
    return Sparkline("".join(lines), "".join(areas))


def _runs(values: Sequence[float | None]) -> list[tuple[int, list[float]]]:
    """The stretches without a gap, each with its first position."""
    found: list[tuple[int, list[float]]] = []
    gap = True
    for n, value in enumerate(values):
        if value is not None:
            if gap:
                found.append((n, []))
            found[-1][1].append(value)
        gap = value is None
    return found


def _share(value: float, lowest: float, highest: float) -> float:
    """Where the value lies between the two, from 0 to 1."""
    return max(0.0, min(1.0, (value - lowest) / (highest - lowest))) if highest > lowest else 0.0
