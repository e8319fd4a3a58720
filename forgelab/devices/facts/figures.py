"""The figures of one minute: load, memory, disk, uptime, temperature. Pure, and tolerant of odd answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LARGEST = 2**41  # no size in KiB, count or percentage is larger; the database's columns end there
MOST_CORES = 32_767
# Which sensor is the processor's, by the kernel's names, best first; a Raspberry Pi has cpu-thermal.
PROCESSOR = ("x86_pkg_temp", "coretemp", "k10temp", "zenpower", "cpu-thermal", "cpu_thermal", "soc-thermal",
             "soc_thermal", "cpu", "soc")  # fmt: skip
COLDEST, HOTTEST = -30.0, 125.0  # degrees Celsius; a sensor that says more is not connected


@dataclass(frozen=True)
class Figures:
    """Sizes in MiB, load in percent of the cores, uptime in seconds."""

    cores: int
    load_percent: float
    memory_total_mb: int
    memory_available_mb: int
    disk_total_mb: int
    disk_free_mb: int
    uptime_seconds: int
    temperature_celsius: float | None


def pairs(output: str) -> list[tuple[str, str]]:
    """The answer's `name=value` lines, in order."""
    return [(name, value) for name, equals, value in (line.partition("=") for line in output.splitlines()) if equals]


def figures(output: str) -> Figures:
    """Read the answer to `FIGURES`. Raises `ValueError` naming the line that is missing or not a number."""
    found = pairs(output)
    values = dict(found)
    cores = min(max(1, int(_number(values, "cores"))), MOST_CORES)
    return Figures(
        cores=cores,
        load_percent=round(100 * _number(values, "load") / cores, 1),
        memory_total_mb=int(_number(values, "memory_total_kb")) // 1024,
        memory_available_mb=int(_number(values, "memory_available_kb")) // 1024,
        disk_total_mb=int(_number(values, "disk_total_kb")) // 1024,
        disk_free_mb=int(_number(values, "disk_free_kb")) // 1024,
        uptime_seconds=int(_number(values, "uptime")),
        temperature_celsius=temperature(value for name, value in found if name == "heat"),
    )


def _number(values: Mapping[str, str], name: str) -> float:
    try:
        value = float(values[name])
    except (KeyError, ValueError):
        value = -1
    if not 0 <= value < LARGEST:
        raise ValueError(f"the device did not report its {name} (got {values.get(name, 'nothing')[:40]!r})")
    return value


def temperature(lines: Iterable[str]) -> float | None:
    """The processor's temperature in degrees of `sensor millidegrees` lines: the hottest of its best sensor.

    None when no sensor is the processor's: that of a disk or of the wireless card says nothing of the device.
    """
    best: tuple[int, float] | None = None
    for line in lines:
        match = re.fullmatch(r"\s*(\S+)\s+(-?\d{1,7})\s*", line)
        kind = _sensor(match[1]) if match else None
        degrees = round(int(match[2]) / 1000, 1) if match else 0.0
        if (
            kind is not None
            and COLDEST < degrees < HOTTEST
            and (best is None or (kind, -degrees) < (best[0], -best[1]))
        ):
            best = kind, degrees
    return best[1] if best else None


def _sensor(name: str) -> int | None:
    """The rank of a processor's sensor, also of one that is numbered (cpu0-thermal, cpu-thermal1); None of others."""
    plain = re.sub(r"\d+(?=-thermal|_thermal|$)", "", name.lower()) if name not in PROCESSOR else name
    return PROCESSOR.index(plain) if plain in PROCESSOR else None
