"""What the kernel does for a process manager: ends children with their parent, adopts orphans, reads memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36  # linux/prctl.h
M_ARENA_MAX = -8  # malloc.h


def _prctl(option: int, value: int | bytes) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def end_with_parent(parent: int) -> None:
    """Have the kernel send SIGKILL to this process when its parent, whose pid is `parent`, ends for whatever reason."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call above
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none is out of reach."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def set_name(name: str) -> None:
    """The name that `ps` and `top` show (15 bytes)."""
    _prctl(PR_SET_NAME, name.encode()[:15])


def share_heap_between_threads() -> None:
    """Have all threads allocate from two heaps: glibc makes one for each, and keeps what each had at its peak."""
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such heaps
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


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
