"""Which device suits best: a score from 0 to 100 that explains itself. Pure.

Hard requirements come first and each refusal names its reason. The weights below are the whole policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WEIGHTS = {"memory": 30, "storage": 25, "load": 15, "cores": 10, "reliability": 20}
DISK_QUALITY = {"nvme": 1.0, "ssd": 1.0, "unknown": 0.8, "hdd": 0.6, "sd": 0.15}
DISK_NAMES = {"nvme": "NVMe", "ssd": "SSD", "hdd": "hard disk", "sd": "SD card", "unknown": "disk"}
SD_WEAR = 0.6  # SD cards wear out under databases, so a device that lives on one is trusted less
PLENTY = 3  # times the recommended memory: more headroom than that earns nothing
ROOMY = 2  # times the recommended storage, likewise
WORST_AVAILABILITY = 95.0  # percent; at or below it reliability earns nothing
TOLERANCE = 0.9  # a machine sold with 2 GB shows less, since firmware and kernel keep some for themselves
FAMILY = ("debian", "ubuntu", "raspbian")


@dataclass(frozen=True)
class Needs:
    """What a server asks of a device: MB and cores, at least and recommended."""

    memory_mb: tuple[int, int]
    storage_mb: tuple[int, int]
    cores: tuple[int, int]


@dataclass(frozen=True)
class Candidate:
    """What is known of a device. MB, percent; `promised_mb` is the memory of the servers already on it.

    `obstacle` is a sentence of somebody who knows why the device is out of the question, or empty.
    """

    name: str
    reachable: bool
    distribution: str
    memory_total_mb: int
    memory_available_mb: int
    promised_mb: int
    disk_free_mb: int
    disk_kind: str
    cores: int
    load_percent: float
    availability_percent: float | None
    obstacle: str = ""

    @property
    def memory_free_mb(self) -> int:
        """What can still be promised: free now, and not yet promised to a server."""
        return max(0, min(self.memory_available_mb, self.memory_total_mb - self.promised_mb))


@dataclass(frozen=True)
class Score:
    """A device's `points` (0 to 100) with the `reasons` for them, or its `refusals`."""

    name: str
    points: int
    reasons: tuple[str, ...]
    refusals: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.refusals


def rank(candidates: Iterable[Candidate], needs: Needs) -> list[Score]:
    """The scores, best first; devices that do not fit come last. The order of `candidates` does not matter."""
    return sorted((score(c, needs) for c in candidates), key=lambda s: (not s.fits, -s.points, s.name))


def score(candidate: Candidate, needs: Needs) -> Score:
    """How well the device suits."""
    refused = refusals(candidate, needs)
    parts = shares(candidate, needs)
    points = 0 if refused else round(sum(WEIGHTS[name] * share for name, share in parts.items()))
    return Score(candidate.name, points, reasons(candidate, needs), refused)


def refusals(candidate: Candidate, needs: Needs) -> tuple[str, ...]:
    """Why the device cannot be chosen at all."""
    if not candidate.reachable:
        return (f"{candidate.name} cannot be reached",)
    found = [candidate.obstacle] if candidate.obstacle else []
    if candidate.distribution not in FAMILY:
        found.append(f"it runs {candidate.distribution or 'an unknown system'}; Debian or Ubuntu is needed")
    if candidate.memory_free_mb < needs.memory_mb[0] * TOLERANCE:
        found.append(f"{gb(candidate.memory_free_mb)} RAM free, at least {gb(needs.memory_mb[0])} needed")
    if candidate.disk_free_mb < needs.storage_mb[0] * TOLERANCE:
        found.append(f"{gb(candidate.disk_free_mb)} storage free, at least {gb(needs.storage_mb[0])} needed")
    if candidate.cores < needs.cores[0]:
        found.append(f"{cores(candidate.cores)}, at least {needs.cores[0]} needed")
    return tuple(found)


def shares(candidate: Candidate, needs: Needs) -> dict[str, float]:
    """The share, from 0 to 1, that the device earns of each weight."""
    quality = DISK_QUALITY.get(candidate.disk_kind, DISK_QUALITY["unknown"])
    up = candidate.availability_percent
    reliability = 1.0 if up is None else _bounded((up - WORST_AVAILABILITY) / (100 - WORST_AVAILABILITY))
    return {
        "memory": _bounded(candidate.memory_free_mb / max(1, PLENTY * needs.memory_mb[1])),
        "storage": quality * _bounded(candidate.disk_free_mb / max(1, ROOMY * needs.storage_mb[1])),
        "load": _bounded(1 - candidate.load_percent / 100),
        "cores": _bounded(candidate.cores / max(1, needs.cores[1])),
        "reliability": reliability * (SD_WEAR if candidate.disk_kind == "sd" else 1.0),
    }


def reasons(candidate: Candidate, needs: Needs) -> tuple[str, ...]:
    """The figures behind the score, as sentences."""
    busy = candidate.load_percent
    headroom = "plenty of headroom" if busy < 50 else "fair" if busy < 75 else "busy"
    sentences = [
        f"{gb(candidate.memory_free_mb)} RAM available (app needs {gb(needs.memory_mb[1])})",
        f"{gb(candidate.disk_free_mb)} {DISK_NAMES.get(candidate.disk_kind, 'disk')} storage free",
        f"Current load: {busy:.0f}% ({headroom})",
        f"{cores(candidate.cores)} ({needs.cores[1]} recommended)",
    ]
    if candidate.availability_percent is not None:
        sentences.append(f"Uptime: {candidate.availability_percent:.1f}%")
    return tuple(sentences)


def cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count} cores"


def gb(mb: float) -> str:
    """`1536` MB as `1.5GB`, whole figures without a fraction."""
    value = round(mb / 1024, 1)
    return f"{value:.0f}GB" if value == int(value) or value >= 20 else f"{value}GB"


def _bounded(value: float) -> float:
    return max(0.0, min(1.0, value))
