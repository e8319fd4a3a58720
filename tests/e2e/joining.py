"""What the tests of joining ask of ForgeLab, of a lab device, and of every process on this machine."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Any

from forgelab.devices import fingerprints
from forgelab.lab import LabDevice
from tests.support.stack import Stack


def make_token(forge: Stack, **fields: str) -> dict[str, Any]:
    return forge.api.post("devices/join-tokens", json=fields).raise_for_status().json()


def run_on(machine: LabDevice, command: str, user: str = "homelab") -> subprocess.CompletedProcess[str]:
    """As a person would run it: logged in as a user who may use sudo."""
    return machine.exec(["runuser", "-u", user, "--", "bash", "-c", f"set -o pipefail; {command}"], check=False)


def shown(machine: LabDevice) -> set[str]:
    return {key.fingerprint for key in fingerprints.parse("\n".join(machine.host_keys()))}


def has_user(machine: LabDevice) -> bool:
    return machine.exec(["getent", "passwd", "forgelab"], check=False).returncode == 0


class ProcessArguments:
    """Looks at the arguments of every process, here and in the lab's devices, for as long as the block lasts."""

    def __enter__(self) -> ProcessArguments:
        self.seen: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(entry.read_bytes() + (entry.parent / "environ").read_bytes())
                except OSError:
                    continue

    def holds(self, text: str) -> bool:
        return any(text.encode() in each for each in self.seen)


def remains(machine: LabDevice, user: str) -> tuple[bool, bool]:
    """Whether ForgeLab's key and its rule for sudo are there."""
    key = machine.exec(["grep", "-qs", "forgelab$", f"/home/{user}/.ssh/authorized_keys"], check=False)
    rule = machine.exec(["test", "-e", f"/etc/sudoers.d/forgelab-{user}"], check=False)
    return key.returncode == 0, rule.returncode == 0
