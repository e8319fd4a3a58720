"""What placement knows: what a server needs, who the servers are, and what each device has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rare:
    """A component's version that not every processor can have: `releases` carry it themselves, wherever they run."""

    title: str
    source: str
    architectures: tuple[str, ...]
    releases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """What a server asks of a device: MB and cores, at least and recommended; and what must hold at all.

    `distributions` maps ids to the oldest version that will do; none means any, and so do no `architectures`. `ports`
    maps each TCP port to the name of the process that will listen there; `noun` names the server in sentences.
    """

    memory_mb: tuple[int, int]
    storage_mb: tuple[int, int]
    cores: tuple[int, int]
    distributions: Mapping[str, str] = field(default_factory=dict)
    architectures: tuple[str, ...] = ()
    ports: Mapping[int, str] = field(default_factory=dict)
    rare: tuple[Rare, ...] = ()
    noun: str = "app"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A server as others see it: on a device, or looking for one. All fields may be empty where not known.

    `uses` and `used_by` name servers, `follows` those whose data it copies or that copy its, `components` are roles.
    """

    name: str = ""
    server_type: str = ""
    environment: str = ""
    application: str = ""
    uses: frozenset[str] = frozenset()
    used_by: frozenset[str] = frozenset()
    follows: frozenset[str] = frozenset()
    components: frozenset[str] = frozenset()
    near: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "near", self.uses | self.used_by)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of a device. MB, percent.

    `reserved_*` is what servers that run on it have reserved: what they use of it is in the measured figures.
    `pending_*` is reserved for servers that are not there yet, so no figure shows it. `listening` maps ports to
    processes. `obstacle` is a sentence of somebody who knows why the device is out of the question, or empty.
    """

    name: str
    reachable: bool
    distribution: str
    memory_total_mb: int
    memory_available_mb: int
    disk_total_mb: int
    disk_free_mb: int
    disk_kind: str
    cores: int
    load_percent: float
    availability_percent: float | None = None
    distribution_version: str = ""
    distribution_release: str = ""
    architecture: str = ""
    asleep: bool = False
    reserved_mb: int = 0
    pending_mb: int = 0
    reserved_disk_mb: int = 0
    pending_disk_mb: int = 0
    listening: Mapping[int, str] = field(default_factory=dict)
    servers: tuple[Tenant, ...] = ()
    obstacle: str = ""

    memory_free_mb: int = field(init=False, repr=False, compare=False)  # what can still be reserved
    disk_left_mb: int = field(init=False, repr=False, compare=False)  # likewise

    def __post_init__(self) -> None:
        """Once for each device rather than at every look at it: there may be ten thousand."""
        memory = min(self.memory_available_mb, self.memory_total_mb - self.reserved_mb) - self.pending_mb
        disk = min(self.disk_free_mb, self.disk_total_mb - self.reserved_disk_mb) - self.pending_disk_mb
        object.__setattr__(self, "memory_free_mb", max(0, memory))
        object.__setattr__(self, "disk_left_mb", max(0, disk))


def cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count} cores"


def gb(mb: float) -> str:
    """`1536` MB as `1.5GB`, whole figures without a fraction."""
    value = round(mb / 1024, 1)
    return f"{value:.0f}GB" if value == int(value) or value >= 20 else f"{value}GB"
