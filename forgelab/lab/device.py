from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .cgroups import ControlGroup, cores_for, groups_of, joining
from .errors import LabError
from .guest import host_keys
from .layers import Layers
from .lxcfs import Lxcfs
from .network import Network, available_cpus, listens
from .processes import CLEAN_ENV, PidFile, last_lines, locked, start_daemon, wait_until
from .site import Site

POWER_OFF, REBOOT = signal.SIGRTMIN + 4, signal.SIGRTMIN + 5  # systemd(1), section Signals
GUEST_ENV = {"PATH": CLEAN_ENV["PATH"], "HOME": "/root", "LANG": "C.UTF-8", "TERM": os.environ.get("TERM", "linux")}


@dataclass
class DeviceConfig:
    """What `device.json` holds. `memory` in bytes and `cpus` in CPUs, None without a limit; `image` is a suite,
    `layer` its folder; `number` is the last part of the address. `source` is the snapshot it was made from, if any, and
    `snapshots` are those below its disk, topmost first."""

    name: str
    number: int
    image: str
    layer: str
    memory: int | None = None
    cpus: float | None = None
    unit_limits: bool = False
    source: str = ""
    snapshots: list[str] = field(default_factory=list)


class LabDevice:
    """One virtual Debian device. Every method that changes it may be called again without harm."""

    def __init__(self, site: Site, config: DeviceConfig) -> None:
        self.site = site
        self.config = config
        self.home = site.devices / config.name
        self.group = ControlGroup(f"forgelab-{site.bridge}", config.name)
        self.network = Network(site)
        self._chassis = PidFile(self.home / "chassis.pid")
        self._init = PidFile(self.home / "init.pid")

    @classmethod
    def load(cls, site: Site, name: str) -> LabDevice:
        """Raises LabError when there is no such device."""
        try:
            values = json.loads((site.devices / name / "device.json").read_text())
        except (OSError, ValueError):
            raise LabError(f"There is no device {name}; `forgelab lab status` lists them.") from None
        return cls(site, DeviceConfig(**values))

    def save(self) -> None:
        temporary = self.home / ".device.json"
        temporary.write_text(json.dumps(asdict(self.config)))
        temporary.rename(self.home / "device.json")

    def __repr__(self) -> str:
        return f"<LabDevice {self.name} {self.address} {self.state}>"

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def address(self) -> str:
        return self.site.address(self.config.number)

    @property
    def address6(self) -> str:
        """Its IPv6 address; a device that was on before the lab had IPv6 gets it at its next start."""
        return self.site.address6(self.config.number)

    @property
    def image(self) -> str:
        return self.config.image

    @property
    def disk(self) -> Layers:
        """What it sees as its disk. A snapshot's layer may be missing only where making the snapshot was cut off."""
        below = [self.site.snapshots / name / "disk" for name in self.config.snapshots]
        return Layers([self.home / "upper", *(path for path in below if path.is_dir()), Path(self.config.layer)])

    @property
    def memory(self) -> int | None:
        return self.config.memory

    @property
    def cpus(self) -> float | None:
        return self.config.cpus

    @property
    def is_on(self) -> bool:
        return self._chassis.pid() is not None

    @property
    def state(self) -> str:
        """`on`, `off` or `cut`: on, but without its cable."""
        if not self.is_on:
            return "off"
        return "on" if self.network.is_plugged(self.config.number) else "cut"

    def start(self, timeout: float = 120) -> None:
        """Power on and wait until it is ready; raises LabError when it is not within `timeout` seconds."""
        with locked(self.site.lock):
            self.network.up()
            Lxcfs(self.site).up()
            self.power_on()
        self.wait_ready(timeout)

    def power_on(self) -> None:
        """Power on without waiting. The caller holds the lab's lock, and the lab's network is up."""
        if self.is_on:
            return
        self.group.kill()
        # Units started in a group that was once killed as a whole may be killed too (seen with systemd 257).
        self.group.remove()
        self.network.attach(self.name, self.config.number)
        self.group.make()
        self.apply_limits()
        v1 = self.config.unit_limits and not self.group.pure_v2
        (self.home / "upper").mkdir(mode=0o755, exist_ok=True)
        arguments = [
            self.home, self.name, self.disk.below(), self.network.namespace_path(self.name), Lxcfs(self.site).mount,
            "1" if v1 else "0", *self.group.folders(),
        ]  # fmt: skip
        start_daemon(
            ["unshare", "--mount", "--propagation", "slave", sys.executable, "-m", "forgelab.lab.chassis", *arguments],
            log=self.home / "console.log",
            pidfile=self._chassis,
        )

    def apply_limits(self) -> None:
        cores = cores_for(self.config.cpus, self.config.number, available_cpus())
        self.group.limit(self.config.memory, self.config.cpus, cores)

    def wait_ready(self, timeout: float = 120) -> None:
        """Wait until SSH greets and unprivileged users may log in; raises LabError saying why when they cannot."""
        if wait_until(lambda: not self.is_on or self._is_ready(), timeout) and self.is_on:
            return
        log = self.home / "console.log"
        if self.state == "off":
            raise LabError(f"{self.name} is off; its console {log} says last:\n{last_lines(log)}")
        if self.state == "cut":
            raise LabError(f"{self.name} has no cable, so nobody reaches it: plug it in with {_hint('heal', self)}.")
        raise LabError(f"{self.name} does not answer on {self.address} port 22 after {timeout:g} s; see {log}.")

    def _is_ready(self) -> bool:
        init = self._init.pid()
        if init is None or Path(f"/proc/{init}/root/run/nologin").exists():
            return False
        return listens(self.address, 22, b"SSH-")

    def stop(self, timeout: float = 60) -> bool:
        """Shut down in order; after `timeout` seconds the power is cut, and the answer is False."""
        self._signal(POWER_OFF)
        in_order = wait_until(lambda: not self.is_on, timeout)
        if not in_order:
            self.kill()
        return in_order

    def reboot(self, timeout: float = 120) -> None:
        """Reboot in order and wait until it is ready again."""
        before = self._init.pid()
        if before is None:
            raise LabError(f"{self.name} is off, so it cannot reboot: start it with {_hint('start', self)}.")
        self._signal(REBOOT)
        if not wait_until(lambda: self._init.pid() not in (None, before) or not self.is_on, timeout):
            raise LabError(f"{self.name} did not reboot within {timeout:g} s; see {self.home / 'console.log'}.")
        self.wait_ready(timeout)

    def kill(self) -> None:
        """Cut the power: every process ends at once, the disk stays as it is."""
        self.group.kill()
        if not wait_until(lambda: not self.is_on, 10):
            self._chassis.end()

    def cut(self) -> None:
        """Pull the network cable."""
        self.network.plug(self.config.number, connected=False)

    def heal(self) -> None:
        """Plug the network cable in again."""
        self.network.plug(self.config.number, connected=True)

    def remove(self) -> None:
        """Power off and forget the device and its disk."""
        with locked(self.site.lock):
            self.discard()

    def discard(self) -> None:
        """`remove` for a caller that holds the lab's lock."""
        self.kill()
        self.network.detach(self.name, self.config.number)
        self.group.remove()
        shutil.rmtree(self.home, ignore_errors=True)

    def exec_argv(self, argv: Sequence[str]) -> list[str]:
        """The command that runs `argv` as root inside the device, under the device's own limits."""
        init = self._init.pid()
        if init is None:
            raise LabError(f"{self.name} is off: start it with {_hint('start', self)}.")
        return joining(groups_of(init), ["nsenter", "--target", str(init), "--all", "--", *argv])

    def exec(
        self, argv: Sequence[str], input: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside the device, without SSH; raises LabError when `check` and it fails."""
        done = subprocess.run(
            self.exec_argv(argv), input=input or "", capture_output=True, text=True, errors="replace", env=GUEST_ENV
        )
        if check and done.returncode:
            raise LabError(f"{self.name}: {' '.join(argv)} failed ({done.returncode}): {done.stderr or done.stdout}")
        return done

    def ssh_argv(self, user: str = "root") -> list[str]:
        """The ssh command that logs in as `root` or `homelab`, trusting only the device's own host keys."""
        known_hosts = self.home / "known_hosts"
        return [
            "ssh", "-i", str(self.site.dir / "ssh/id_ed25519"), "-o", f"UserKnownHostsFile={known_hosts}",
            "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR",
            "-o", "ConnectTimeout=10",
            f"{user}@{self.address}",
        ]  # fmt: skip

    def host_keys(self) -> list[str]:
        """The device's host keys as known_hosts lines."""
        return host_keys(self.disk, self.address)

    def _signal(self, number: int) -> None:
        init = self._init.pid()
        if init is not None:
            os.kill(init, number)


def _hint(verb: str, device: LabDevice) -> str:
    return f"`forgelab lab {verb} {device.name}`"
