"""The lab's own lxcfs, which makes /proc in a device show the device's memory and CPUs instead of the machine's."""

from __future__ import annotations

from pathlib import Path

from .errors import LabError
from .processes import PidFile, last_lines, run, start_daemon, wait_until
from .site import Site

PROC_FILES = ("meminfo", "cpuinfo", "stat", "uptime", "loadavg", "swaps", "diskstats")


class Lxcfs:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.mount = site.dir / "lxcfs"
        self.process = PidFile(site.dir / "lxcfs.pid")

    def up(self) -> None:
        """Start it unless it runs; raises LabError with its own words when it does not come up."""
        if self.process.pid() and self._serves():
            return
        self.down()
        self.mount.mkdir(parents=True, exist_ok=True)
        log = self.site.dir / "lxcfs.log"
        argv: list[str | Path] = ["lxcfs", "-l", "--enable-cfs", "-p", self.site.dir / "lxcfs.lock", self.mount]
        start_daemon(argv, log=log, pidfile=self.process)
        if not wait_until(self._serves, 5):
            raise LabError(f"lxcfs does not start:\n{last_lines(log)}")

    def down(self) -> None:
        self.process.end()
        if str(self.mount) in Path("/proc/self/mountinfo").read_text():
            run("umount", "--lazy", self.mount)
        if self.mount.is_dir():
            self.mount.rmdir()

    def _serves(self) -> bool:
        try:
            return (self.mount / "proc/meminfo").exists()
        except OSError:
            return False
