"""The disks of a device and what they are, from lsblk's JSON or from /sys/block. Pure; odd answers are left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

DISK_KINDS = ("nvme", "ssd", "hdd", "sd")
LIMIT = 64  # disks
LARGEST_MB = 2**31 - 1
SECTOR = 512  # bytes, in /sys/block whatever the disk's own sectors are
# Whole devices of the kernel that are no disks: memory, loops, mappings, drives for removable media.
NO_DISK = re.compile(r"loop|ram|zram|dm-|md|sr|fd|nbd|mtd|zd")


def root_kind(line: str) -> str:
    """The kind of the disk below the root file system, of lsblk's `TYPE NAME ROTA`."""
    match = re.fullmatch(r"disk (\S+) ([01])\s*", line)
    return kind(match[1], match[2] == "1") if match else "unknown"


def kind(name: str, rotates: bool) -> str:
    """`nvme`, `ssd`, `hdd`, `sd` or `unknown`. A virtual disk says "rotating" whatever it lies on."""
    if name.startswith("nvme"):
        return "nvme"
    if name.startswith("mmcblk"):
        return "sd"
    if not rotates:
        return "ssd"
    return "unknown" if name.startswith(("vd", "xvd")) else "hdd"


def from_lsblk(text: str) -> list[dict[str, Any]]:
    """The whole disks in the answer to `lsblk -J -d -b -o NAME,TYPE,SIZE,ROTA,MODEL`; older ones give all as text."""
    try:
        rows = json.loads(text)["blockdevices"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    found = []
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("type") == "disk":
            rotates = str(row.get("rota")).lower() in ("1", "true")
            found.append(_disk(str(row.get("name")), str(row.get("size")), 1, rotates, str(row.get("model") or "")))
    return [disk for disk in found if disk][:LIMIT]


def from_sys(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The disks in `name sectors rotational model` lines."""
    found = []
    for line in lines:
        name, size, rotates, model = (*line.split(None, 3), "", "", "", "")[:4]
        found.append(_disk(name, size, SECTOR, rotates == "1", model))
    return [disk for disk in found if disk][:LIMIT]


def _disk(name: str, size: str, unit: int, rotates: bool, model: str) -> dict[str, Any]:
    """One disk; empty for what is not a disk, such as a card reader without a card."""
    if NO_DISK.match(name) or not re.fullmatch(r"[\w.!:-]{1,32}", name) or not re.fullmatch(r"[0-9]{1,20}", size):
        return {}
    size_mb = min(int(size) * unit // 2**20, LARGEST_MB)
    if "boot" in name or not size_mb:  # an eMMC's mmcblk0boot0 holds firmware
        return {}
    shown = " ".join("".join(character for character in model if character.isprintable()).split())[:64]
    return {"name": name, "kind": kind(name, rotates), "size_mb": size_mb, "model": shown}
