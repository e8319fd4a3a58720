"""One child of the process manager: forked, in a session of its own, its output in a pipe."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from forgelab.cli.stack import kernel

BACK_OFF = (1, 2, 5, 10, 30)  # seconds before the first, second ... restart in a row
STEADY = 60.0  # seconds after which a child counts as well started


@dataclass
class Child:
    """A part of the stack and its present process. `in_child` closes in it what is the process manager's."""

    name: str
    life: Callable[[], object]
    in_child: Callable[[], object]
    pid: int = 0
    output: int = -1
    started_at: float = 0.0
    failures: int = 0
    start_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Fork; in the child this never returns."""
        parent = os.getpid()
        self.output, write_end = os.pipe()
        self.started_at = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.output)
            self._live(write_end, parent)
        os.close(write_end)
        os.set_blocking(self.output, False)

    def ended(self) -> float:
        """Note the end of the process; returns the seconds to wait before it is started again."""
        self.failures = 0 if time.monotonic() - self.started_at > STEADY else self.failures + 1
        self.pid = 0
        delay = BACK_OFF[min(max(self.failures - 1, 0), len(BACK_OFF) - 1)]
        self.start_at = time.monotonic() + delay
        return delay

    def is_due(self) -> bool:
        return not self.pid and time.monotonic() >= self.start_at

    def _live(self, write_end: int, parent: int) -> None:
        status = 1
        try:
            self.in_child()
            _detach(write_end, parent)
            kernel.set_name(f"forgelab-{self.name}")
            self.life()
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def _detach(write_end: int, parent: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    os.setsid()
    kernel.end_with_parent(parent)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (write_end, 1), (write_end, 2)):
        os.dup2(source, target)
    os.close(write_end)
    os.close(nothing)
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="backslashreplace", closefd=False)
