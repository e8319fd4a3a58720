"""Showing what a plan found, in a terminal or a log."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from forgelab.cli.base import console
from forgelab.recipes.placeholders import as_text

LINES = 30  # of one file's diff
COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def show(result: dict[str, Any]) -> None:
    """The summary sentence last, after the steps with their diffs."""
    out = console()
    for name, option in result["options"].items():
        out.print(f"Option {name}: {as_text(option['from'])} -> {as_text(option['to'])}")
    for step in result["steps"]:
        out.print(Text(f"\n{step['title']}", style="bold"))
        for change in step["changes"]:
            out.print(f"  {change['kind']}: {change['what']}")
            lines = change["diff"].splitlines()
            for line in lines[:LINES]:
                out.print(Text(f"    {line}", style=COLOURS.get(line[:1], "")))
            if len(lines) > LINES:
                out.print(f"    ({len(lines) - LINES} more lines; the web page and --json have them)")
        for handler in step["handlers"]:
            out.print(f"  then: {handler}")
        if step["more"]:
            out.print("  and what can only be known once its packages are installed and its service runs")
    out.print(f"\n{result['summary']}." if result["steps"] else f"{result['summary']}.")
