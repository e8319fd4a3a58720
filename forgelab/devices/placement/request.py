"""What is asked of a set of servers that are to be placed at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from forgelab.devices.placement.model import Needs, Tenant


@dataclass(frozen=True, slots=True)
class Wanted:
    """A server to be placed. `obstacles` says by device, and `clashes` by other server of the set, why not there."""

    tenant: Tenant
    needs: Needs
    obstacles: Mapping[str, str] = field(default_factory=dict)
    clashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.tenant.name


@dataclass(frozen=True, slots=True)
class Constraint:
    """`together`: all on one device. `apart`: each on another. `on`, `not_on`: the device. `spread`: rather apart."""

    kind: str
    names: tuple[str, ...]
    device: str = ""
