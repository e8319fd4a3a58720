"""A control group per device, in the one hierarchy of cgroup v2 or in each of v1's; a guest sees it as its own."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from .processes import wait_until

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpuset", "cpu", "memory", "pids")
PERIOD = 100_000


class ControlGroup:
    """`lab` is shared by a lab's devices, `name` is the device's own."""

    def __init__(self, lab: str, name: str, root: Path = ROOT) -> None:
        self.lab = lab
        self.name = name
        self.root = root
        self.pure_v2 = (root / "cgroup.controllers").exists()

    def folders(self) -> list[Path]:
        """The device's folder in every hierarchy."""
        return [tree / self.lab / self.name for tree in hierarchies(self.root)]

    def make(self) -> None:
        for tree in hierarchies(self.root):
            for folder in (tree / self.lab, tree / self.lab / self.name):
                if self.pure_v2:
                    enable_controllers(folder.parent)
                folder.mkdir(exist_ok=True)
                # A v1 cpuset accepts no process until both of its lists are filled.
                for key in ("cpuset.cpus", "cpuset.mems"):
                    if not self.pure_v2 and (folder / key).exists() and not (folder / key).read_text().strip():
                        (folder / key).write_text((folder.parent / key).read_text())

    def limit(self, memory: int | None, cpus: float | None, cores: Iterable[int]) -> None:
        """Limit to `memory` bytes and `cpus` CPUs, running on `cores`, which is what nproc counts."""
        quota = int(cpus * PERIOD) if cpus else None
        if self.pure_v2:
            self._write("", "memory.max", memory or "max")
            self._write("", "memory.swap.max", 0 if memory else "max")
            self._write("", "cpu.max", f"{quota or 'max'} {PERIOD}")
        else:
            self._write("memory", "memory.memsw.limit_in_bytes", -1)
            self._write("memory", "memory.limit_in_bytes", memory or -1)
            self._write("memory", "memory.memsw.limit_in_bytes", memory or -1)
            self._write("cpu", "cpu.cfs_quota_us", quota or -1)
        self._write("cpuset", "cpuset.cpus", ",".join(map(str, cores)))

    def memory_used(self) -> int:
        """Bytes in use, without the file cache that is free for the asking."""
        folder = self._folder("memory")
        try:
            usage = folder / ("memory.current" if self.pure_v2 else "memory.usage_in_bytes")
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            idle = stat["inactive_file" if self.pure_v2 else "total_inactive_file"]
            return max(0, int(usage.read_text()) - int(idle))
        except OSError:
            return 0

    def kill(self) -> None:
        """End every process of the device at the same instant, as a power cut does."""
        switch = self._folder("unified") / "cgroup.kill"
        if switch.exists():
            switch.write_text("1")
            wait_until(lambda: not self.is_populated(), 10)

    def is_populated(self) -> bool:
        try:
            return "populated 1" in (self._folder("unified") / "cgroup.events").read_text()
        except OSError:
            return False

    def remove(self) -> None:
        """Remove the device's folders, and the lab's when it was the last."""
        wait_until(lambda: all([remove_tree(folder) for folder in self.folders()]), 5)
        for tree in hierarchies(self.root):
            with contextlib.suppress(OSError):
                (tree / self.lab).rmdir()

    def _folder(self, controller: str) -> Path:
        return (self.root if self.pure_v2 else self.root / controller) / self.lab / self.name

    def _write(self, controller: str, key: str, value: object) -> None:
        file = self._folder(controller) / key
        if file.exists():
            file.write_text(str(value))


def hierarchies(root: Path = ROOT) -> list[Path]:
    """Where control groups are mounted: one folder with v2, several with v1 or both."""
    if (root / "cgroup.controllers").exists():
        return [root]
    return sorted(path for path in root.iterdir() if (path / "cgroup.procs").exists() and not path.is_symlink())


def enable_controllers(folder: Path) -> None:
    """Hand controllers down to a v2 group's children; one the kernel does not have is done without."""
    for controller in CONTROLLERS:
        with contextlib.suppress(OSError):
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def remove_tree(top: Path) -> bool:
    """Remove a group and the groups in it; False when one is still busy."""
    done = True
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            Path(folder).rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            done = False
    return done


def groups_of(pid: int, root: Path = ROOT) -> list[Path]:
    """The folders of the groups a process is in (cgroups(7): /proc/PID/cgroup)."""
    found = []
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        tree = controllers.removeprefix("name=") or ("unified" if (root / "unified").is_dir() else "")
        if (root / tree / path.lstrip("/")).is_dir():
            found.append(root / tree / path.lstrip("/"))
    return found


def joining(folders: Iterable[Path], argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` inside these groups from its very first instruction."""
    script = "".join(f"echo $$ >{shlex.quote(str(folder / 'cgroup.procs'))}; " for folder in folders)
    return ["sh", "-c", f'{script}exec "$@"', "sh", *argv]


def cores_for(cpus: float | None, number: int, available: Sequence[int]) -> list[int]:
    """Which cores a device runs on: as many as it has CPUs, starting elsewhere for every device number."""
    count = min(len(available), math.ceil(cpus)) if cpus else len(available)
    return sorted(available[(number + i) % len(available)] for i in range(count))
