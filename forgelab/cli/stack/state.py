"""What is known of a running stack: a lock that its process manager holds, and a file that says where it is."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from forgelab.lib import processes


def data_dir() -> Path:
    """The folder of this installation, as `settings.DATA_DIR`, without loading Django."""
    from forgelab.lib.instance import default_data_dir

    return Path(os.environ.get("FORGELAB_DATA_DIR") or default_data_dir()).expanduser().resolve()


@dataclass(frozen=True)
class State:
    """A running stack. `started` is its process manager's start time in clock ticks: `lib.processes.start_time`."""

    pid: int
    started: str
    url: str
    since: float
    children: Mapping[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return time.time() - self.since


class Stack:
    """The stack of one data folder. The lock, not the file, says whether it runs: the kernel frees it in time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock_file, self.state_file = folder / "forgelab.lock", folder / "forgelab.pid"
        self.log_file = folder / "forgelab.log"
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock for this process and those forked from it; False when another stack holds it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def let_go(self) -> None:
        """Close this process's copy of the lock; it stays held while another process has one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def is_running(self) -> bool:
        if not self.lock_file.exists():
            return False
        free = self.acquire()
        if free:
            self.let_go()
        return not free

    def write(self, state: State) -> None:
        temporary = self.state_file.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(state)))
        temporary.replace(self.state_file)

    def read(self) -> State | None:
        """The running stack's state; None when nothing runs, or while it is only just starting."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            state = State(**json.loads(self.state_file.read_text()))
            if processes.is_running(state.pid, state.started) and self.is_running():
                return state
        return None

    def forget(self) -> None:
        self.state_file.unlink(missing_ok=True)
