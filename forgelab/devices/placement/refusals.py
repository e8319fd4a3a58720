"""What a device must have: why one cannot be chosen at all."""

from __future__ import annotations

import re

from forgelab.devices.placement.model import Candidate, Needs, Rare, cores, gb

TOLERANCE = 0.9  # a machine sold with 2 GB shows less, since firmware and kernel keep some for themselves
KERNEL_NAME = 15  # characters that the kernel keeps of a process's name
NAMES = {"debian": "Debian", "raspbian": "Raspberry Pi OS", "ubuntu": "Ubuntu"}


UNREACHABLE, OBSTACLE, MEMORY, STORAGE, CORES, PORTS = 1, 2, 4, 8, 16, 32  # what a device can lack, as bits


class Demands:
    """What one server's needs make a device have, prepared for many devices."""

    __slots__ = ("_cores", "_memory", "_needs", "_storage", "_systems")

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._memory, self._storage, self._cores = needs.memory_mb[0], needs.storage_mb[0], needs.cores[0]
        self._systems: dict[tuple[str, str, str, str], tuple[str, ...]] = {}

    def met(self, candidate: Candidate) -> bool:
        return not (self.lacks(candidate) or self.system(candidate))

    def lacks(self, candidate: Candidate) -> int:
        """What the device lacks, but for its system; nothing but its not being reached where that is so."""
        if not candidate.reachable:
            return UNREACHABLE
        found = OBSTACLE if candidate.obstacle else 0
        if candidate.memory_free_mb < self._memory and not _sold_as_enough(candidate, self._memory):
            found |= MEMORY
        if candidate.disk_left_mb < self._storage:
            found |= STORAGE
        if candidate.cores < self._cores:
            found |= CORES
        if candidate.listening and self._needs.ports and _taken(candidate, self._needs):
            found |= PORTS
        return found

    def refusals(self, candidate: Candidate) -> tuple[str, ...]:
        """Why the device cannot be chosen at all, as sentences; none when it can."""
        lacks, needs = self.lacks(candidate), self._needs
        if lacks & UNREACHABLE:
            return (f"{candidate.name} cannot be reached",)
        free, left = gb(candidate.memory_free_mb), gb(candidate.disk_left_mb)
        sentences = {
            OBSTACLE: candidate.obstacle,
            MEMORY: f"{free} RAM free{_reserved(candidate)}, at least {gb(self._memory)} needed",
            STORAGE: f"{left} storage free, at least {gb(self._storage)} needed",
            CORES: f"{cores(candidate.cores)}, at least {self._cores} needed",
        }
        found = [sentence for bit, sentence in sentences.items() if lacks & bit]
        for port, process, holder in _taken(candidate, needs):
            found.append(f"port {port} is held by {holder}, and {process} needs it")
        return (*self.system(candidate), *found)

    def system(self, candidate: Candidate) -> tuple[str, ...]:
        """What is wrong with distribution and architecture, which many devices have in common."""
        key = (
            candidate.distribution, candidate.distribution_version, candidate.distribution_release,
            candidate.architecture,
        )  # fmt: skip
        if key not in self._systems:
            self._systems[key] = system_refusals(candidate, self._needs)
        return self._systems[key]


def _sold_as_enough(candidate: Candidate, memory: int) -> bool:
    """Only for the first server on a device: once something is reserved, reservations never exceed what there is."""
    return not (candidate.reserved_mb or candidate.pending_mb) and candidate.memory_free_mb >= memory * TOLERANCE


def _reserved(candidate: Candidate) -> str:
    reserved = candidate.reserved_mb + candidate.pending_mb
    return f" ({gb(reserved)} are reserved for the servers on it)" if reserved else ""


def _taken(candidate: Candidate, needs: Needs) -> list[tuple[int, str, str]]:
    """The ports that another process holds, as port, wanted process, holder.

    A port is free when nothing listens there, or the process that will. One whose holder is not known is left to the
    preflight, which sees more.
    """
    found = []
    for port, process in needs.ports.items():
        holder = candidate.listening.get(port)
        if holder and not holder.startswith(process[:KERNEL_NAME]):
            found.append((port, process, holder))
    return found


def system_refusals(candidate: Candidate, needs: Needs) -> tuple[str, ...]:
    """The reasons that depend on nothing but distribution and architecture, which many devices have in common."""
    found = [_distribution(candidate, needs), _architecture(candidate, needs)]
    found += [_rare(candidate, rare) for rare in needs.rare]
    return tuple(filter(None, found))


def _distribution(candidate: Candidate, needs: Needs) -> str:
    name, version = candidate.distribution, candidate.distribution_version
    oldest = needs.distributions.get(name)
    if not needs.distributions:
        return ""
    if oldest is None:
        wanted = " or ".join(NAMES.get(each, each) for each in needs.distributions if each != "raspbian")
        return f"it runs {name or 'an unknown system'}; {wanted} is needed"
    if version and _numbers(version) < _numbers(oldest):
        title = NAMES.get(name, name)
        return f"it runs {title} {version}; {title} {oldest} or newer is needed"
    return ""


def _architecture(candidate: Candidate, needs: Needs) -> str:
    if not needs.architectures or not candidate.architecture or candidate.architecture in needs.architectures:
        return ""
    return f"its processor is {candidate.architecture}; {' or '.join(needs.architectures)} is needed"


def _rare(candidate: Candidate, rare: Rare) -> str:
    """Nothing is said against a device whose processor or release is not known."""
    architecture, release = candidate.architecture, candidate.distribution_release
    if not architecture or not release or architecture in rare.architectures or release in rare.releases:
        return ""
    return f"{rare.title} is not available for {architecture}: the {rare.source} is for {_either(rare.architectures)}"


def _either(names: tuple[str, ...]) -> str:
    return " and ".join(names)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
