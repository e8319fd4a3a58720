"""What a device earns by its own figures: of each kind of points a share from 0 to 1."""

from __future__ import annotations

from typing import NamedTuple

from forgelab.devices.placement.model import Candidate, Needs
from forgelab.devices.placement.policy import HUNDRED, Policy


class Shares(NamedTuple):
    """In the order of the policy's points."""

    memory: float
    storage: float
    load: float
    cores: float
    reliability: float


class Measure:
    """A server's needs under a policy, prepared for many devices."""

    __slots__ = (
        "cores",
        "disks",
        "memory",
        "points",
        "sd_card",
        "storage",
        "unknown",
        "unknown_disk",
        "watched",
        "worst",
    )

    def __init__(self, needs: Needs, policy: Policy) -> None:
        points = policy.points
        self.points = Shares(**{name: float(points[name]) for name in Shares._fields})
        self.memory = max(1.0, policy.enough["memory"] * needs.memory_mb[1])
        self.storage = max(1.0, policy.enough["storage"] * needs.storage_mb[1])
        self.cores = max(1.0, policy.enough["cores"] * needs.cores[1])
        self.disks, self.unknown_disk = policy.disks, policy.disks["unknown"]
        self.worst, self.sd_card = policy.reliability["worst"], policy.reliability["sd_card"]
        self.watched = HUNDRED - self.worst
        self.unknown = policy.reliability["unknown"]

    def shares(self, candidate: Candidate) -> tuple[float, float, float, float, float]:
        """As `Shares`, without its cost."""
        memory = candidate.memory_free_mb / self.memory
        storage = candidate.disk_left_mb / self.storage
        kind, load = candidate.disk_kind, candidate.load_percent
        cores = candidate.cores / self.cores
        up = candidate.availability_percent
        reliable = ((self.unknown if up is None else up) - self.worst) / self.watched
        reliable = 0.0 if reliable < 0 else 1.0 if reliable > 1 else reliable
        return (
            memory if memory < 1 else 1.0,
            (storage if storage < 1 else 1.0) * self.disks.get(kind, self.unknown_disk),
            1 - load / 100 if load < 100 else 0.0,
            cores if cores < 1 else 1.0,
            reliable * self.sd_card if kind == "sd" else reliable,
        )

    def total(self, candidate: Candidate) -> float:
        """The points that the device earns by itself."""
        memory, storage, load, cores, reliability = self.shares(candidate)
        of = self.points
        return of[0] * memory + of[1] * storage + of[2] * load + of[3] * cores + of[4] * reliability

    def lost(self, candidate: Candidate) -> dict[str, float]:
        """The points that the device does not earn, by kind."""
        earned = self.shares(candidate)
        return {name: of * (1 - share) for name, of, share in zip(Shares._fields, self.points, earned, strict=True)}
