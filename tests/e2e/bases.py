"""Snapshots that tests start devices from: what is installed there, no test has to install.

A base is made once and kept in the lab's folder between runs of the tests. Its name tells what it was made from, so one
that is out of date is never used, and goes when the next is made. Tests whose subject is the first installation start
from a bare device instead.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forgelab.lab import Lab, LabError
from tests.e2e.config import BOOKWORM
from tests.support.stack import ROOT, Stack


@dataclass(frozen=True)
class Base:
    """A server type and its options, the image, and the step by whose beginning all that is wanted is installed."""

    server_type: str
    config: dict[str, Any] = field(default_factory=dict)
    image: str = "bookworm"
    until: str = "nginx"
    memory: str = "4G"


# By the name that tests use. `packages`: every package of an App Server, and nothing configured.
BASES = {"packages": Base("laravel-app-server", BOOKWORM)}


class Bases:
    """`new_stack` makes a ForgeLab, which makes a base and is gone again."""

    def __init__(self, lab: Lab, new_stack: Callable[[], Stack]) -> None:
        self.lab, self.new_stack = lab, new_stack

    def snapshot(self, name: str) -> str:
        """The name of the base's snapshot, made now unless it is there; other processes that want it wait for it."""
        snapshot = f"base-{name}-{self._made_from(BASES[name])}"
        with _one_at_a_time(self.lab.site.dir / "bases.lock"):
            if not self.lab.snapshots.exists(snapshot):
                self._remove_older(name)
                self._make(BASES[name], snapshot)
        return snapshot

    def _made_from(self, base: Base) -> str:
        """A digest of all that decides what a base holds."""
        parts = [repr(base), self.lab.site.net, self.lab.images.path(base.image).name]
        folders = (ROOT / "roles", ROOT / "plugins", ROOT / "forgelab/recipes/catalog" / base.server_type)
        digest = hashlib.sha256("\n".join(parts).encode())
        for path in sorted(path for folder in folders for path in folder.rglob("*.*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
        return digest.hexdigest()[:10]

    def _remove_older(self, name: str) -> None:
        for old in self.lab.snapshots.all():
            if old.name.startswith(f"base-{name}-"):
                with suppress(LabError):  # somebody's device stands on it
                    self.lab.remove_snapshot(old.name)

    def _make(self, base: Base, snapshot: str) -> None:
        device = self.lab.up(f"{snapshot}-made", image=base.image, memory=base.memory, cpus=2)
        stack = self.new_stack()
        try:
            stack.start()
            device_id = stack.add(device, self.lab.key_path)
            run = stack.provision("base", device_id, base.config, base.server_type)
            stack.wait_for_step(run, base.until, timeout=900)
            stack.api.post(f"runs/{run}/cancel").raise_for_status()
            stack.wait_for_end(run, timeout=120)
            self.lab.snapshot(device.name, snapshot)
        finally:
            stack.stop()
            device.remove()


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
