"""Snapshots: the disk of a device as a layer below the disks of new devices, and below its own from then on."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from . import layers
from .device import LabDevice
from .errors import LabError
from .site import Site


@dataclass(frozen=True)
class Snapshot:
    """What `snapshot.json` holds: the device it was made of with its address and limits, its image with that one's
    folder `layer`, the snapshots `below` it, topmost first, and when it was made (UTC, ISO 8601)."""

    name: str
    device: str
    address: str
    image: str
    layer: str
    below: list[str] = field(default_factory=list)
    memory: int | None = None
    cpus: float | None = None
    made: str = ""

    @property
    def stack(self) -> list[str]:
        """The snapshots that a device made from this one stands on, topmost first."""
        return [self.name, *self.below]


class Snapshots:
    """Those of one lab. They belong to its network: what is configured on a disk names addresses."""

    def __init__(self, site: Site) -> None:
        self.folder = site.snapshots
        self.site = site

    def all(self) -> list[Snapshot]:
        """By name."""
        return [self.get(path.parent.name) for path in sorted(self.folder.glob("*/disk"))]

    def get(self, name: str) -> Snapshot:
        """Raises LabError when there is no such snapshot."""
        try:
            if not self.exists(name):
                raise FileNotFoundError(name)
            return Snapshot(**json.loads((self.folder / name / "snapshot.json").read_text()))
        except (OSError, ValueError):
            raise LabError(f"There is no snapshot {name}; `forgelab lab snapshots` lists them.") from None

    def exists(self, name: str) -> bool:
        return (self.folder / name / "disk").is_dir()

    def starting_point(self, name: str) -> Snapshot:
        """The snapshot, if a new device can start from it; raises LabError when it cannot."""
        snapshot = self.get(name)
        net = snapshot.address.rpartition(".")[0]
        if net != self.site.net:
            raise LabError(
                f"The snapshot {name} was made in the network {net}.0/24, whose addresses are on its disk, and the lab "
                f"uses {self.site.net}.0/24. Take the lab down, and up again with FORGELAB_LAB_NET={net}."
            )
        return snapshot

    def check_new(self, name: str, device: LabDevice) -> None:
        """Raises LabError when `device` cannot become a snapshot of this name."""
        if self.exists(name) or self.users(name):
            raise LabError(f"There is a snapshot {name} already. Choose another name, or remove it: {_remove(name)}.")
        if len(device.config.snapshots) >= layers.LIMIT:
            raise LabError(
                f"{device.name} stands on {layers.LIMIT} snapshots, and more cannot be laid over each other. "
                "Start again from an earlier one: `forgelab lab up NEW --from SNAPSHOT`."
            )

    def take(self, device: LabDevice, name: str) -> Snapshot:
        """Turn the disk of a device that is off into a snapshot, on which the device stands from now on.

        The caller holds the lab's lock. A crash in between leaves a device with its disk, and at most an empty folder.
        """
        self.check_new(name, device)
        config, home = device.config, self.folder / name
        snapshot = Snapshot(
            name, device.name, device.address, config.image, config.layer, list(config.snapshots), config.memory,
            config.cpus, datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        (home / "snapshot.json").write_text(json.dumps(asdict(snapshot)))
        os.sync()  # devices write without waiting for the disk, but a snapshot is to outlive this machine's power cut
        config.snapshots = snapshot.stack
        device.save()
        (device.home / "upper").rename(home / "disk")
        (device.home / "upper").mkdir(mode=0o755)
        return snapshot

    def users(self, name: str) -> list[str]:
        """What stands on a snapshot: devices and other snapshots, as a person would say it."""
        devices = [json.loads(path.read_text()) for path in sorted(self.site.devices.glob("*/device.json"))]
        return [
            *(f"device {config['name']}" for config in devices if name in config.get("snapshots", [])),
            *(f"snapshot {other.name}" for other in self.all() if name in other.below),
        ]

    def remove(self, name: str) -> None:
        """Raises LabError when something stands on it. The caller holds the lab's lock."""
        self.get(name)
        users = self.users(name)
        if users:
            raise LabError(
                f"The snapshot {name} is in use by {', '.join(users)}. Remove what uses it first: "
                f"`forgelab lab rm NAME` for devices, {_remove('NAME')} for snapshots."
            )
        shutil.rmtree(self.folder / name)


def _remove(name: str) -> str:
    return f"`forgelab lab snapshots --remove {name}`"
