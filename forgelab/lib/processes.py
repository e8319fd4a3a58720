"""Finding and ending processes on this machine by a mark in their environment.

ansible-runner's own cancel leaves the running task alive, because Ansible's workers call setsid(). A mark in the
environment is inherited by every descendant, whatever session or parent it ends up with.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import socket
import time
from pathlib import Path

logger = logging.getLogger(__name__)

RUN_MARK = "FORGELAB_RUN"
KILL_TIMEOUT = 10.0  # seconds; only a process stuck inside the kernel outlives SIGKILL for longer
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def start_time(pid: int) -> str | None:
    """When the process started, in clock ticks since boot (proc(5), field 22); None when it has ended.

    A pid with its start time names one process for ever: pids are used again, the pair is not.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def is_running(pid: int, started: str) -> bool:
    return start_time(pid) == started


def machine_id() -> str:
    """This machine in its present boot and pid namespace: pids mean nothing elsewhere or after a reboot.

    Two containers may share host name and boot, and yet not see each other's processes.
    """
    boot = Path("/proc/sys/kernel/random/boot_id")
    space = Path("/proc/self/ns/pid")
    parts = (socket.gethostname()[:64], boot.read_text().strip() if boot.exists() else "")
    return "/".join((*parts, str(space.readlink()).strip("pid:[]") if space.is_symlink() else ""))


def marked(value: str, name: str = RUN_MARK) -> list[int]:
    """The pids of all processes, other than this one, whose environment has `name=value`.

    ssh's connection master writes its title over its environment; it is known by its control path, which for a run
    lies in a folder named `value`.
    """
    wanted, folder = f"{name}={value}".encode(), f"/{value}/".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            belongs = wanted in (entry / "environ").read_bytes().split(b"\0") or _is_master_in(folder, entry)
            if belongs and start_time(int(entry.name)):
                found.append(int(entry.name))
    return found


def _is_master_in(folder: bytes, entry: Path) -> bool:
    title = (entry / "cmdline").read_bytes().rstrip(b"\0")
    return title.startswith(b"ssh: ") and title.endswith(b" [mux]") and folder in title


def end_marked(value: str, *, grace: float = 0.4, name: str = RUN_MARK) -> int:
    """End every marked process: SIGTERM, after `grace` seconds SIGKILL, until none is left.

    Returns how many were found at first. One that SIGKILL does not end within `KILL_TIMEOUT` is logged and left.
    """
    pids = marked(value, name)
    count = len(pids)
    _signal(pids, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while pids and time.monotonic() < deadline:
        time.sleep(0.03)
        pids = marked(value, name)
    deadline = time.monotonic() + KILL_TIMEOUT
    while pids and time.monotonic() < deadline:
        _signal(pids, signal.SIGKILL)
        time.sleep(0.02)
        pids = marked(value, name)
    if pids:
        logger.error("processes %s of %s do not end, even by SIGKILL", pids, value)
    return count


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its `parent` ends (prctl(2), PR_SET_PDEATHSIG). Linux only.

    The parent's pid is asked for because no other sign is sure: in a container the parent itself may have pid 1.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call took effect
        os.kill(os.getpid(), signal.SIGKILL)
