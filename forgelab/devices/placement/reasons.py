"""The figures behind a score, as sentences."""

from __future__ import annotations

from forgelab.devices.placement.affinity import Affinities, sentence
from forgelab.devices.placement.model import Candidate, Needs, Tenant, cores, gb
from forgelab.devices.placement.policy import Policy
from forgelab.devices.placement.shares import Measure

DISKS = {"nvme": "NVMe", "ssd": "SSD", "hdd": "hard disk", "sd": "SD card", "unknown": "disk"}
POOR_DISKS = ("hdd", "sd")
PLENTY, FAIR = 50, 75  # percent of load: below them there is plenty of headroom, or some


def reasons(candidate: Candidate, needs: Needs, tenant: Tenant, policy: Policy) -> tuple[str, ...]:
    """What speaks for and against the device, the most important first."""
    busy = candidate.load_percent
    headroom = "plenty of headroom" if busy < PLENTY else "fair" if busy < FAIR else "busy"
    free, disk = candidate.memory_free_mb, DISKS.get(candidate.disk_kind, "disk")
    sentences = [
        f"{gb(free)} RAM available ({needs.noun} needs {gb(needs.memory_mb[1])})",
        f"{gb(candidate.disk_left_mb)} {disk} storage free",
        f"Current load: {busy:.0f}% ({headroom})",
    ]
    if candidate.availability_percent is not None:
        sentences.append(f"Uptime: {candidate.availability_percent:.1f}%")
    if candidate.cores < needs.cores[1]:
        sentences.append(f"{cores(candidate.cores)} ({needs.cores[1]} recommended)")
    if reserved := candidate.reserved_mb + candidate.pending_mb:
        sentences.append(f"{gb(reserved)} of {gb(candidate.memory_total_mb)} RAM reserved for {_servers(candidate)}")
    if candidate.asleep:
        sentences.append("It is asleep: it is woken before the run")
    return (
        *sentences,
        *(sentence(affinity, tenant) for affinity in Affinities(tenant, policy).affinities(candidate.servers)),
    )


def _servers(candidate: Candidate) -> str:
    names = sorted(server.name for server in candidate.servers)
    return ", ".join(names) if 0 < len(names) <= 2 else f"{len(names)} servers" if names else "servers on it"


def summary(candidate: Candidate, needs: Needs, policy: Policy) -> str:
    """`8GB RAM, 75% load`: the memory, and what costs the device most."""
    lost = Measure(needs, policy).lost(candidate)
    lost.pop("memory")
    worst = max(lost, key=lambda name: lost[name])
    up = candidate.availability_percent
    free = candidate.disk_left_mb
    words = {
        "storage": DISKS[candidate.disk_kind] if candidate.disk_kind in POOR_DISKS else f"{gb(free)} storage",
        "load": f"{candidate.load_percent:.0f}% load",
        "cores": cores(candidate.cores),
        "reliability": f"{up:.1f}% uptime" if up is not None else "uptime not known yet",
    }
    return f"{gb(candidate.memory_free_mb)} RAM, {words[worst]}"
