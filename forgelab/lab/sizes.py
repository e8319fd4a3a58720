from __future__ import annotations

import math
import re

from .errors import LabError

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
SMALLEST_MEMORY = 64 * 2**20


def parse_memory(value: str | int | None) -> int | None:
    """Memory in bytes from `2G`, `512M` or a number of bytes; None means no limit.

    Raises LabError for anything else, and below 64 MiB, with which Debian does not boot.
    """
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", str(value).strip(), re.IGNORECASE)
    if not match:
        raise LabError(f"memory: {value!r} is not a size; write a number with K, M, G or T, such as 512M or 2G.")
    size = int(float(match[1]) * UNITS[match[2].upper()])
    if size < SMALLEST_MEMORY:
        raise LabError(f"memory: {value} is too small; a device needs at least {format_size(SMALLEST_MEMORY)}.")
    return size


def parse_cpus(value: str | float | None, available: int) -> float | None:
    """Number of CPUs, such as 1 or 1.5; None means all `available` ones.

    Raises LabError for anything that is not a number between 0.1 and `available`.
    """
    if value is None:
        return None
    try:
        cpus = float(value)
    except ValueError:
        cpus = math.nan
    if not 0.1 <= cpus <= available:
        raise LabError(
            f"cpus: {value!r} is not allowed; give a number from 0.1 to {available}, which this machine has."
        )
    return cpus


def format_size(size: int) -> str:
    """Bytes for people: `512 MiB`, `1.5 GiB`."""
    if size >= 2**30:
        return f"{size / 2**30:.1f}".removesuffix(".0") + " GiB"
    return f"{round(size / 2**20)} MiB"
