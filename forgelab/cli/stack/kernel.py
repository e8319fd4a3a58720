"""What the kernel does for a process manager: ends children with their parent, adopts orphans, reads memory."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36  # linux/prctl.h
LOOK_FOR_PARENT = 0.5  # seconds


def _prctl(option: int, value: int | bytes) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def end_with_parent(parent: int) -> None:
    """Have the kernel send SIGKILL to this process when its parent, whose pid is `parent`, ends for whatever reason."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call above
        os._exit(1)


def end_without_parent(parent: int) -> None:
    """End this process within a second of its parent's end.

    For processes forked by a thread that may end before its process: `end_with_parent` would end them with the thread.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_FOR_PARENT)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none is out of reach."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def set_name(name: str) -> None:
    """The name that `ps` and `top` show (15 bytes)."""
    _prctl(PR_SET_NAME, name.encode()[:15])


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, whatever session or group it put itself into."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def memory_mb(pid: int) -> float | None:
    """Proportional set size in MiB: shared pages are divided among their sharers. None when it cannot be read."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), None)
