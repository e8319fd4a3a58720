"""Where the children's lines go: the terminal, or a file that is kept small."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

Show = Callable[[str, str], object]  # is called with the name of a child and a line of its output
COLOURS = {"web": 36, "runs": 32, "tasks": 34, "forgelab": 33}
WIDTH = max(map(len, COLOURS))
MAX_BYTES, BACKUPS = 5_000_000, 3


def to_terminal() -> Show:
    """Lines go to stdout, after the name of who wrote them, in colour on a terminal."""
    in_colour = sys.stdout.isatty()

    def show(name: str, line: str) -> None:
        label = f"{name:<{WIDTH}} |"
        print(f"\033[{COLOURS[name]}m{label}\033[0m {line}" if in_colour else f"{label} {line}", flush=True)

    return show


def to_file(path: Path) -> Show:
    """Lines go to a file that only its owner can read, and to a new one every 5 MB; three old ones are kept."""
    path.touch(mode=0o600)
    log = logging.Logger("forgelab.stack")
    log.addHandler(RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=BACKUPS))
    return lambda name, line: log.info("%s | %s", f"{name:<{WIDTH}}", line)
