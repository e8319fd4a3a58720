"""Starts the children, shows their output, starts again whichever ends, and stops them all."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial

from forgelab.cli.stack import kernel, parts
from forgelab.cli.stack.child import Child
from forgelab.cli.stack.output import Show


class ProcessManager:
    """Runs until SIGINT or SIGTERM; `changed` gets the children's pids whenever one of them is new."""

    def __init__(self, lives: Mapping[str, Callable[[], object]], show: Show, changed: Callable[[dict[str, int]], None],
                 in_child: Callable[[str], None]) -> None:  # fmt: skip
        self.children = [Child(name, life, partial(self._in_child, name)) for name, life in lives.items()]
        self.show, self.changed, self.close_foreign = show, changed, in_child
        self.selector = selectors.DefaultSelector()
        self.wakeup, self.wakeup_write = socket.socketpair()
        self.signals = 0
        self.partial: dict[int, bytes] = {}

    def run(self) -> None:
        kernel.adopt_orphans()
        self._listen_for_signals()
        while not self.signals:
            for child in self.children:
                if child.is_due():
                    self._start(child)
            self._turn(self._next_start())
        self._stop()

    def _listen_for_signals(self) -> None:
        for end in (self.wakeup, self.wakeup_write):
            end.setblocking(False)
        self.selector.register(self.wakeup, selectors.EVENT_READ)
        signal.set_wakeup_fd(self.wakeup_write.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)

    def _asked_to_stop(self, *_: object) -> None:
        self.signals += 1

    def _start(self, child: Child) -> None:
        child.start()
        self.selector.register(child.output, selectors.EVENT_READ, child)
        self.changed(self.pids())

    def pids(self) -> dict[str, int]:
        return {child.name: child.pid for child in self.children if child.pid}

    def _next_start(self) -> float | None:
        due = [child.start_at for child in self.children if not child.pid]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _turn(self, timeout: float | None) -> None:
        for key, _ in self.selector.select(timeout):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self.wakeup.recv(4096)
            else:
                self._read(key.data, key.fd)
        self._reap()

    def _read(self, child: Child, descriptor: int) -> None:
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        *lines, rest = (self.partial.pop(descriptor, b"") + data).split(b"\n")
        if data:
            self.partial[descriptor] = rest
        else:
            lines += [rest] if rest else []
            self.selector.unregister(descriptor)
            os.close(descriptor)
        for line in lines:
            self.show(child.name, line.decode(errors="replace"))

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for child in self.children:
                if child.pid == pid:
                    self._note_end(child, os.waitstatus_to_exitcode(status))

    def _note_end(self, child: Child, code: int) -> None:
        delay = child.ended()
        if not self.signals:
            reason = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
            self.show(child.name, f"{child.name} {reason}; it is started again in {delay} s")

    def _stop(self) -> None:
        deadline = time.monotonic() + parts.GRACE
        for pid in self.pids().values():
            os.kill(pid, signal.SIGTERM)
        while self.pids() and self.signals < 2 and time.monotonic() < deadline:
            self._turn(0.2)
        if self.pids():
            names = " and ".join(self.pids())
            self.show(
                "forgelab",
                f"{names} did not end by themselves and are ended now; a run cut off is repeated at the next start",
            )
        self._kill_what_is_left()

    def _kill_what_is_left(self) -> None:
        while left := kernel.descendants(os.getpid()):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._turn(0.05)

    def _in_child(self, name: str) -> None:
        for key in list(self.selector.get_map().values()):
            if key.data:
                os.close(key.fd)
        self.selector.close()
        self.wakeup.close()
        self.wakeup_write.close()
        self.close_foreign(name)
