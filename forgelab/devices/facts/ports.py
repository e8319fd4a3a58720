"""Which TCP ports of a device are taken, and by whom: from ss, or from the kernel's tables. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

LIMIT = 500  # ports
# State, queues, local address and port, peer, and for root the processes: users:(("nginx",pid=7,fd=6),...)
SS_LINE = re.compile(r'\s*(?:LISTEN\s+)?\d+\s+\d+\s+(\S+):(\d{1,5})\s+\S+(?:\s+users:\(\("([^"]*)")?')
WIDEST_FIRST = ("any", "other", "loopback")


def from_ss(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The ports in the lines of `ss -Hltnp`."""
    matches = (SS_LINE.match(line) for line in lines)
    return _joined((int(m[2]), m[3] or "", _reach(m[1])) for m in matches if m)


def from_proc(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The ports in the local addresses of /proc/net/tcp and tcp6, such as `0100007F:0035`; nobody is named there."""
    matches = (re.fullmatch(r"\s*([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})\s*", line) for line in lines)
    return _joined((int(m[2], 16), "", _reach_of_hex(m[1])) for m in matches if m)


def _joined(rows: Iterable[tuple[int, str, str]]) -> list[dict[str, Any]]:
    """One entry a port, that of the widest address: a port taken on loopback is taken for all addresses too."""
    best: dict[int, tuple[int, str]] = {}
    for port, process, reach in rows:
        rank = WIDEST_FIRST.index(reach)
        if 0 < port < 65_536 and (port not in best or (rank, not process) < (best[port][0], not best[port][1])):
            best[port] = rank, process
    return [
        {"port": port, "process": _plain(process), "address": WIDEST_FIRST[rank]}
        for port, (rank, process) in sorted(best.items())[:LIMIT]
    ]


def _plain(process: str) -> str:
    return "".join(character for character in process if character.isprintable())[:32]


def _reach(address: str) -> str:
    """Whether all the world, only the device itself, or something between may come: any, loopback, other."""
    plain = address.split("%", 1)[0].strip("[]")
    if plain == "*":
        return "any"
    try:
        parsed = ip_address(plain)
    except ValueError:
        return "other"
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return "any" if mapped.is_unspecified else "loopback" if mapped.is_loopback else "other"


def _reach_of_hex(address: str) -> str:
    """The kernel writes each 32 bits of an address in the machine's own order, here little-endian."""
    if not address.strip("0"):
        return "any"
    if address.endswith("7F") and len(address) == 8:
        return "loopback"
    return "loopback" if address in ("0" * 24 + "01000000", "0" * 16 + "FFFF00000100007F") else "other"
