"""A provisioned device as the checks see it: what its services themselves say."""

from __future__ import annotations

import ipaddress
import re
import shlex
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from forgelab.lab import LabDevice

ANYWHERE, LOCAL = "anywhere", "local"


@dataclass(frozen=True, order=True)
class Listener:
    """A port that something listens on; `where` is ANYWHERE, LOCAL or an address."""

    protocol: str
    port: int
    where: str
    process: str


@dataclass
class Machine:
    """The device and the server on it: its complete config, and its credentials as `{block: {label: value}}`."""

    device: LabDevice
    server: dict[str, Any]
    credentials: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, Any]:
        return self.server["config"]

    @property
    def components(self) -> set[str]:
        return {component["name"] for component in self.server["components"]}

    def run(self, *command: str, ok: tuple[int, ...] = (0,)) -> str:
        """What the command prints on either stream; its status must be one of `ok`."""
        done = self.device.exec(list(command), check=False)
        text = f"{done.stdout}{done.stderr}"
        assert done.returncode in ok, f"{shlex.join(command)} ended with {done.returncode}: {text[-800:]}"
        return text

    def sh(self, script: str, ok: tuple[int, ...] = (0,)) -> str:
        return self.run("sh", "-c", script, ok=ok)

    def assert_service(self, *units: str) -> None:
        """Each is running, and will be after a reboot."""
        for unit in units:
            state = self.run("systemctl", "is-active", unit, ok=(0, 3, 4)).strip()
            assert state == "active", f"{unit} is {state}"
            state = self.run("systemctl", "is-enabled", unit, ok=(0, 1, 4)).strip()
            assert state.split("\n")[0] in ("enabled", "enabled-runtime", "static", "alias"), f"{unit} is {state}"

    def installed(self, package: str) -> bool:
        status = self.run("dpkg-query", "-W", "-f", "${db:Status-Status}", package, ok=(0, 1))
        return status.startswith("installed")

    @cached_property
    def memory_mb(self) -> int:
        found = re.search(r"MemTotal:\s+(\d+) kB", self.run("cat", "/proc/meminfo"))
        assert found
        return int(found[1]) // 1024

    def listeners(self) -> set[Listener]:
        """Everything that waits for somebody from outside the process, by `ss`."""
        return {found for line in self.run("ss", "-Htulpn").splitlines() if (found := _listener(line))}

    def failed_units(self) -> list[str]:
        return [
            line.split()[0]
            for line in self.run("systemctl", "list-units", "--failed", "--plain", "--no-legend").splitlines()
        ]


def _listener(line: str) -> Listener | None:
    parts = line.split()
    if len(parts) < 6:
        return None
    address, _, port = parts[4].rpartition(":")
    process = re.search(r'\(\("([^"]+)"', line)
    return Listener(parts[0], int(port), _where(address), process[1] if process else "")


def _where(address: str) -> str:
    plain = address.partition("%")[0].strip("[]")
    if plain in ("*", "0.0.0.0", "::"):
        return ANYWHERE
    return LOCAL if ipaddress.ip_address(plain).is_loopback else plain


def directives(text: str, separator: str = "=") -> dict[str, str]:
    """`name = value` lines, as most services print theirs."""
    pairs = (line.split(separator, 1) for line in text.splitlines() if separator in line)
    return {name.strip(): value.strip() for name, value in pairs}
