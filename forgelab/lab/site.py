from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import LabError

DEFAULT_DIR = "/var/lib/forgelab-lab"
DEFAULT_NET = "10.78.0"
DEFAULT_BRIDGE = "flbr0"
PROXY_PORT = 3128
FIRST_NUMBER, LAST_NUMBER = 10, 249


@dataclass(frozen=True)
class Site:
    """Where one lab lives: its folder, its network and its bridge. Two labs that differ in all three never meet."""

    dir: Path
    net: str
    bridge: str
    images: Path

    @classmethod
    def choose(
        cls, dir: str | Path | None = None, net: str | None = None, bridge: str | None = None,
        images: str | Path | None = None,
    ) -> Site:  # fmt: skip
        """Arguments first, then FORGELAB_LAB_DIR, _NET and _BRIDGE, then what the folder's lab uses now, then defaults.

        Raises LabError for a malformed network or bridge name, and when the folder's lab is up with other ones.
        """
        folder = Path(dir or os.environ.get("FORGELAB_LAB_DIR") or DEFAULT_DIR).absolute()
        now = _recorded(folder)
        site = cls(
            dir=folder,
            net=net or os.environ.get("FORGELAB_LAB_NET") or now.get("net") or DEFAULT_NET,
            bridge=bridge or os.environ.get("FORGELAB_LAB_BRIDGE") or now.get("bridge") or DEFAULT_BRIDGE,
            images=Path(images or now.get("images") or folder / "images").absolute(),
        )
        site._check(now)
        return site

    def _check(self, now: dict[str, str]) -> None:
        try:
            ipaddress.IPv4Network(f"{self.net}.0/24")
        except ValueError:
            raise LabError(f"net: {self.net!r} is not allowed; give three numbers such as {DEFAULT_NET}.") from None
        if not re.fullmatch(r"[a-z][a-z0-9]{0,9}", self.bridge):
            raise LabError(f"bridge: {self.bridge!r} is not allowed; give up to 10 lower-case letters and digits.")
        if now and (now["net"], now["bridge"]) != (self.net, self.bridge):
            raise LabError(
                f"The lab in {self.dir} is up with network {now['net']} and bridge {now['bridge']}, "
                f"not {self.net} and {self.bridge}. Take it down first (forgelab lab down) or use its own values."
            )

    def record(self) -> None:
        """Remember the network of a lab that is up, so that a later call needs no settings to take it down."""
        # Nobody but root may enter: the disks hold the guests' programs, set-user-id ones included.
        self.dir.mkdir(parents=True, exist_ok=True)
        self.dir.chmod(0o700)
        values = {"net": self.net, "bridge": self.bridge, "images": str(self.images)}
        self.record_path.write_text(json.dumps(values))

    @property
    def record_path(self) -> Path:
        return self.dir / "lab.json"

    @property
    def devices(self) -> Path:
        return self.dir / "devices"

    @property
    def snapshots(self) -> Path:
        return self.dir / "snapshots"

    @property
    def lock(self) -> Path:
        return self.dir / "lab.lock"

    @property
    def gateway(self) -> str:
        return f"{self.net}.1"

    @property
    def proxy_url(self) -> str:
        return f"http://{self.gateway}:{PROXY_PORT}"

    @property
    def routing_table(self) -> str:
        """A routing table no other lab has: the network's own 24 bits."""
        return str(int(ipaddress.IPv4Address(f"{self.net}.0")) >> 8)

    def address(self, number: int) -> str:
        return f"{self.net}.{number}"

    def mac(self, number: int) -> str:
        """The hardware address that goes with an address, whoever has it: a locally administered one (IEEE 802), 02:66,
        then the four numbers of the IPv4 address. Other hosts remember for up to a minute which belongs to which."""
        return "02:66:" + ipaddress.IPv4Address(self.address(number)).packed.hex(":")

    @property
    def net6(self) -> str:
        """The lab's IPv6 network, a unique local one (RFC 4193): fd66:6c (fl), then the three numbers of `net`."""
        first, second, third = (int(number) for number in self.net.split("."))
        return f"fd66:6c{first:02x}:{second:02x}{third:02x}::/64"

    def address6(self, number: int) -> str:
        """Its last part reads as that of the IPv4 address."""
        return str(ipaddress.IPv6Address(f"{self.net6.removesuffix('/64')}{number}"))


def free_number(used: Iterable[int]) -> int:
    """The lowest free last part of an address; raises LabError when all 240 are taken."""
    taken = set(used)
    for number in range(FIRST_NUMBER, LAST_NUMBER + 1):
        if number not in taken:
            return number
    raise LabError("The lab is full: it has 240 devices. Remove some with `forgelab lab rm NAME`.")


def _recorded(folder: Path) -> dict[str, str]:
    try:
        return dict(json.loads((folder / "lab.json").read_text()))
    except (OSError, ValueError):
        return {}
