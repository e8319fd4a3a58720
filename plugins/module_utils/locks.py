"""Who holds the locks of apt and dpkg, and what an interrupted dpkg left behind (runs on the device)."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from pathlib import Path

LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)


def lock_holder(path: str) -> int | None:
    """Process id that holds the lock on `path`, None when it is free (fcntl(2), F_GETLK)."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack("hhqqi4x", fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    finally:
        os.close(handle)
    return None if kind == fcntl.F_UNLCK else pid


def locked_by(wait_seconds: float) -> tuple[str, int] | None:
    """The lock and process that still hold apt or dpkg after waiting, None when all are free."""
    deadline = time.monotonic() + wait_seconds
    while True:
        held = [(path, pid) for path in LOCKS if (pid := lock_holder(path)) is not None]
        if not held or time.monotonic() >= deadline:
            return held[0] if held else None
        time.sleep(1)


def dpkg_interrupted() -> bool:
    """Whether dpkg left a journal behind, as after a power cut in the middle of an installation."""
    return any(entry.name.isdigit() for entry in Path("/var/lib/dpkg/updates").glob("*"))
