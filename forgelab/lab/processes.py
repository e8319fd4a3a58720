"""Running commands and keeping hold of long-lived processes across crashes of the process that started them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .errors import LabError

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
# Daemons outlive their caller, so they must not carry the caller's environment, which may hold secrets.
CLEAN_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONPATH": str(PACKAGE_ROOT),
}


def run(*argv: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command and capture its text output; raises LabError with the command's own words when it fails."""
    command = [str(word) for word in argv]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if check and done.returncode:
        raise LabError(f"`{shlex.join(command)}` failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")
    return done


def start_time(pid: int) -> str | None:
    """Kernel start time of a living process (field 22 of /proc/PID/stat, proc(5)), None when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


class PidFile:
    """A process remembered by pid and start time, so that a reused pid is never mistaken for it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, pid: int) -> None:
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        temporary.write_text(f"{pid} {start_time(pid)}\n")
        temporary.rename(self.path)

    def pid(self) -> int | None:
        """The process's pid while it lives, else None."""
        try:
            pid, started = self.path.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == started else None

    def end(self, timeout: float = 5) -> None:
        """Terminate the process, kill it after `timeout` seconds, and forget it."""
        for sig in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
            wait_until(lambda: self.pid() is None, timeout)
        self.path.unlink(missing_ok=True)


def start_daemon(argv: Sequence[str | Path], *, log: Path, pidfile: PidFile) -> None:
    """Start a process in its own session with a clean environment, its output appended to `log`."""
    # A shell in between makes it an orphan, so that its end leaves no zombie with the caller.
    script = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
    command = ["sh", "-c", script, "sh", *(str(word) for word in (log, *argv))]
    started = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True, env=CLEAN_ENV, cwd="/",
        start_new_session=True,
    )  # fmt: skip
    pidfile.write(int(started.stdout))


def wait_until(condition: Callable[[], bool], timeout: float, interval: float = 0.02) -> bool:
    """Poll until `condition` holds; False after `timeout` seconds."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(interval)
    return True


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock between processes; the kernel frees it when the holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def last_lines(path: Path, count: int = 12) -> str:
    """The end of a log file, for an error message."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(f"  {line}" for line in lines[-count:])
