# Managed by ForgeLab: changes made here are lost.
"""What can go wrong, as sentences, and sentences printed for the user and the journal."""

from __future__ import annotations

import os
import sys

ERROR, WARNING, INFO = 3, 4, 6  # priorities of syslog, which journald reads from the beginning of a line


class Problem(Exception):
    """Something could not be done. The text is for the user."""


class Busy(Problem):
    """Another backup or restore is under way."""


def tell(sentence: str, priority: int = INFO) -> None:
    """Say a sentence on standard error; under systemd with its priority for the journal."""
    lines = sentence.splitlines() or [""]
    mark = f"<{priority}>" if "JOURNAL_STREAM" in os.environ else ""
    print("\n".join(f"{mark}{line}" for line in lines), file=sys.stderr, flush=True)


def size(count: float) -> str:
    """Bytes for people: `12.3 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
