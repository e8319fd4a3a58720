"""What a device must have: why one cannot be chosen at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forgelab.devices.placement.model import Candidate, Needs, Rare, cores, gb

TOLERANCE = 0.9  # a machine sold with 2 GB shows less, since firmware and kernel keep some for themselves
KERNEL_NAME = 15  # characters that the kernel keeps of a process's name
NAMES = {"debian": "Debian", "raspbian": "Raspberry Pi OS", "ubuntu": "Ubuntu"}


def refusals(candidate: Candidate, needs: Needs) -> Iterator[str]:
    """The reasons, one by one; none when it fits."""
    if not candidate.reachable:
        yield f"{candidate.name} cannot be reached"
        return
    if candidate.obstacle:
        yield candidate.obstacle
    memory, disk = candidate.memory_free_mb, candidate.disk_left_mb
    if memory < needs.memory_mb[0] and not _sold_as_enough(candidate, memory, needs):
        yield f"{gb(memory)} RAM free{_of_promises(candidate)}, at least {gb(needs.memory_mb[0])} needed"
    if disk < needs.storage_mb[0]:
        yield f"{gb(disk)} storage free, at least {gb(needs.storage_mb[0])} needed"
    if candidate.cores < needs.cores[0]:
        yield f"{cores(candidate.cores)}, at least {needs.cores[0]} needed"
    if needs.ports and candidate.listening:
        yield from _ports(candidate, needs)


def _sold_as_enough(candidate: Candidate, free: int, needs: Needs) -> bool:
    """Only for the first server on a device: once something is promised, promises are never more than there is."""
    return not (candidate.promised_mb or candidate.pending_mb) and free >= needs.memory_mb[0] * TOLERANCE


def _of_promises(candidate: Candidate) -> str:
    promised = candidate.promised_mb + candidate.pending_mb
    return f" ({gb(promised)} are promised to the servers on it)" if promised else ""


def _ports(candidate: Candidate, needs: Needs) -> Iterator[str]:
    """A port is free when nothing listens there, or the process that will. One whose holder is not known is left to
    the preflight, which sees more."""
    for port, process in needs.ports.items():
        holder = candidate.listening.get(port)
        if holder and not holder.startswith(process[:KERNEL_NAME]):
            yield f"port {port} is held by {holder}, and {process} needs it"


def system_refusals(candidate: Candidate, needs: Needs) -> tuple[str, ...]:
    """The reasons that depend on nothing but distribution and architecture, which many devices have in common."""
    found = [_distribution(candidate, needs), _architecture(candidate, needs)]
    found += [_rare(candidate, rare) for rare in needs.rare]
    return tuple(filter(None, found))


def _distribution(candidate: Candidate, needs: Needs) -> str:
    name, version = candidate.distribution, candidate.distribution_version
    oldest = needs.distributions.get(name)
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
    return f"{rare.title} is not to be had for {architecture}: the {rare.source} is for {_either(rare.architectures)}"


def _either(names: tuple[str, ...]) -> str:
    return " and ".join(names)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
