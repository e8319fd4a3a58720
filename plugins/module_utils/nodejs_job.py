"""Work that goes on in the background after its task has ended, and is awaited by a later one (runs on the device).

A job is a file in `FOLDER`. As long as the job lives, its process holds a lock on the file, which the kernel gives
back however the process ends; what it did is written there last. So an empty file without a lock is a job that was
cut off. The folder is in memory: a restart of the device forgets all jobs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

FOLDER = Path("/run/forgelab/nodejs")
LIMIT_SECONDS = 1800
STALE_SECONDS = 24 * 3600
# What a lock is asked for again after, where it cannot be waited for without end.
LOOK_SECONDS = 0.05


class Unfinished(Exception):
    """A job did not come to its end; the text is a sentence for the user."""


def start(work: Callable[[], dict], folder: Path = FOLDER) -> str:
    """Do `work` in a process of its own and return the name of the job. The process keeps this one's environment.

    Everything that `work` imports must be imported before: Ansible removes its modules when the task ends.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.glob("*.job"):
        if time.time() - old.stat().st_mtime > STALE_SECONDS:
            old.unlink()
    path = folder / f"{uuid4().hex}.job"
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    child = os.fork()
    if child:
        os.close(descriptor)
        os.waitpid(child, 0)
        return path.stem
    _leave_the_task()
    try:
        answer = work()
    except BaseException as problem:
        answer = {"failed": f"{type(problem).__name__}: {problem}"}
    os.write(descriptor, json.dumps(answer).encode())
    os._exit(0)


def _leave_the_task() -> None:
    """Become a process that nobody waits for: no parent, no terminal, none of the task's pipes."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def finish(name: str, folder: Path = FOLDER, limit: float = LIMIT_SECONDS) -> dict:
    """Wait for the job and return its answer, once. Raises Unfinished when it was cut off or takes too long."""
    path = folder / f"{name}.job"
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise Unfinished("the device was restarted meanwhile.") from None
    with file:
        if not _locked(file.fileno(), limit):
            raise Unfinished(f"it is still busy after {limit:.0f} seconds.")
        answer = file.read()
    path.unlink()
    if not answer:
        raise Unfinished("its process was ended from outside.")
    return dict(json.loads(answer))


@contextlib.contextmanager
def alone(folder: Path = FOLDER, limit: float = LIMIT_SECONDS) -> Iterator[int | None]:
    """One job at a time, also while something that a killed job had started lives on: it inherits the descriptor.

    None when another one is still busy after `limit` seconds.
    """
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        yield descriptor if _locked(descriptor, limit) else None
    finally:
        os.close(descriptor)


def _locked(descriptor: int, limit: float) -> bool:
    until = time.monotonic() + limit
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_SECONDS)


def run(command: Sequence[str], keep: int, limit: float = LIMIT_SECONDS) -> str:
    """Run a command that keeps the descriptor `keep` open; returns what it said if it failed, else nothing."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        pass_fds=[keep], start_new_session=True, cwd="/",
    ) as process:  # fmt: skip
        try:
            said = process.communicate(timeout=limit)[1].decode("utf-8", "replace").strip()
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return f"it took longer than {limit:.0f} seconds and was ended."
    return (said or f"exit status {process.returncode}") if process.returncode else ""
