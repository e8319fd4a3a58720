"""Which process listens on which TCP port, from /proc (runs on the device)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

LISTENING = "0A"
LOOPBACK = re.compile(r"[0-9A-F]{6}7F|0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F")


def parse_listeners(text: str, *, loopback: bool = True) -> dict[int, set[str]]:
    """Port to socket inodes of the listening rows of /proc/net/tcp or tcp6 (proc_net(5)).

    With loopback=False only of those that other machines can reach.
    """
    found: dict[int, set[str]] = {}
    for row in (line.split() for line in text.splitlines()[1:]):
        if len(row) > 9 and row[3] == LISTENING:
            address, port = row[1].rsplit(":", 1)
            if loopback or not LOOPBACK.fullmatch(address):
                found.setdefault(int(port, 16), set()).add(row[9])
    return found


def listeners(*, loopback: bool = True) -> dict[int, set[str]]:
    """Port to socket inodes of everything that listens here, IPv4 and IPv6."""
    found: dict[int, set[str]] = {}
    for name in ("tcp", "tcp6"):
        path = Path("/proc/net", name)
        if path.exists():
            for port, inodes in parse_listeners(path.read_text(), loopback=loopback).items():
                found.setdefault(port, set()).update(inodes)
    return found


def owners(inodes: Iterable[str]) -> list[int]:
    """Ids of the processes that hold one of these sockets."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _holds(entry, wanted)]


def _holds(process: Path, wanted: set[str]) -> bool:
    try:
        return any(os.readlink(handle) in wanted for handle in (process / "fd").iterdir())  # noqa: PTH115
    except OSError:
        return False


def process_name(pid: int) -> str:
    """Name of a process (its first 15 characters, as the kernel keeps it), `unknown` once it is gone."""
    try:
        return Path("/proc", str(pid), "comm").read_text().strip()
    except OSError:
        return "unknown"


def unit_of(pid: int) -> str | None:
    """systemd service that a process belongs to, from its control group."""
    try:
        text = Path("/proc", str(pid), "cgroup").read_text()
    except OSError:
        return None
    match = re.search(r"/([^/\s]+\.service)", text)
    return match.group(1) if match else None


def port_problem(port: int, process: str, listening: dict[int, set[str]]) -> tuple[str, str] | None:
    """What is wrong and what to do when another process than `process` holds `port`, else None."""
    if port not in listening:
        return None
    holders = owners(listening[port])
    names = {pid: process_name(pid) for pid in holders}
    if any(name.startswith(process[:15]) for name in names.values()):
        return None
    if not holders:
        return f"Port {port} is in use by something outside this system", "Free the port, or choose another device."
    pid, name = next(iter(names.items()))
    unit = unit_of(pid)
    stop = f"Stop it with `systemctl disable --now {unit}`" if unit else f"End it (`kill {pid}`)"
    return f"Port {port} is held by {name} (process {pid}), not by {process}", f"{stop}, or choose another device."
