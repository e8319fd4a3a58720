"""Runs one playbook in a child process and watches it: events, heartbeat, cancel, time limit."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseFailed
from django.db import connection

from forgelab.lib.processes import RUN_MARK, end_marked
from forgelab.runs import claims, orphans
from forgelab.runs.models import Run
from forgelab.runs.results import RUNNER_GAVE_UP, RunResult
from forgelab.runs.writer import EventWriter

logger = logging.getLogger(__name__)

TICK = 0.25  # seconds between two looks at cancel, time limit and heartbeat
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ")
CONTINUE = "Provisioning again continues where it stopped."
TAKEN_OVER = RunResult("lost", "Another worker has taken the run for dead.")
CUT_OFF = RunResult("lost", "The database could not be reached, so the run was given up.")


class PlaybookProcess:
    """Runs `playbook` of the project in `folder` for `run`; `perform` blocks until it has ended, however it ends.

    With `check` Ansible only says what it would change.
    """

    def __init__(self, run: Run, folder: Path, playbook: str, secrets: list[str], *, check: bool = False) -> None:
        self.run = run
        self.folder = folder
        self.playbook = playbook
        self.secrets = secrets
        self.check = check
        self.writer = EventWriter(run.pk)
        self._renewed = time.monotonic()
        self._attempted = self._renewed
        self._deadline = self._renewed + run.timeout_seconds
        self._buffer = b""

    def perform(self) -> RunResult:
        try:
            stopped = self._run_to_the_end()
        except BaseException:
            self.writer.finish(timeout=5)
            raise
        drained = self.writer.finish()
        if stopped:
            return RunResult(stopped.status, stopped.detail, orphans.end_on_device(self.run.device, [self.run.pk]))
        if not drained:
            return RunResult("failed", "The database did not take the run's events; see the worker's log.", False)
        result = self.writer.summary.result(self.run.device.name)
        if result.device_clean:
            return result
        clean = orphans.end_on_device(self.run.device, [self.run.pk])
        return RunResult(
            result.status, ("" if clean else orphans.why_unreachable(self.run.device)) or result.detail, clean
        )

    def _run_to_the_end(self) -> RunResult | None:
        """Nobody may take the run for dead during its lease, which every heartbeat renews: so it starts with one."""
        self._renewed = self._attempted = time.monotonic()
        if not claims.heartbeat(self.run):
            return TAKEN_OVER
        with self._start() as child:
            try:
                stopped = self._follow(child)
            finally:
                end_marked(str(self.run.pk))
        return stopped or (CUT_OFF if child.returncode == RUNNER_GAVE_UP else None)

    def _start(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-m", "forgelab.runs.runner"],
            env=self.environment(),
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # nothing may be left to write when the child has ended
            start_new_session=True,
        )
        job = {
            "directory": str(self.folder),
            "playbook": f"playbooks/{self.playbook}.yml",
            "inventory": str(self.folder / "project" / "inventories" / "homelab"),
            "secrets": self.secrets,
            "check": self.check,
            "until": self._lease_end(),
        }
        self._send(child, json.dumps(job))
        return child

    def _lease_end(self) -> float:
        """When the lease ends, on the clock of `time.monotonic`: counted from before the last heartbeat was sent."""
        return self._renewed + settings.RUN_LEASE

    def _send(self, child: subprocess.Popen[bytes], line: str) -> None:
        assert child.stdin  # noqa: S101 - for mypy: it is a pipe
        with contextlib.suppress(OSError):  # it has ended: its closed standard output shows it
            child.stdin.write(line.encode() + b"\n")

    def environment(self) -> dict[str, str]:
        """What the child may know: never the worker's own environment, which runner would write to disk."""
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        home = self.folder / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        return {
            "LANG": "C.UTF-8",
            **passed,
            "PATH": f"{Path(sys.executable).parent}:{passed.get('PATH', '/usr/bin:/bin')}",
            "HOME": str(home),
            "PYTHONPATH": str(settings.BASE_DIR),
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_LOCAL_TEMP": str(home / "tmp"),
            "ANSIBLE_CONFIG": str(self.folder / "project" / "ansible.cfg"),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / "cp"),  # short: a socket's path has 107 characters
            RUN_MARK: str(self.run.pk),
        }

    def _follow(self, child: subprocess.Popen[bytes]) -> RunResult | None:
        """Read reports until the child ends; a `RunResult` when it had to be stopped before."""
        assert child.stdout  # noqa: S101 - for mypy: it is a pipe
        descriptor = child.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            checked = 0.0
            while True:
                if selector.select(timeout=TICK):
                    data = os.read(descriptor, 1 << 16)
                    if not data:
                        return None
                    if stop := self._take(child, data):
                        return stop
                if time.monotonic() - checked >= TICK:
                    checked = time.monotonic()
                    if stop := self._reason_to_stop(child):
                        return stop

    def _take(self, child: subprocess.Popen[bytes], data: bytes) -> RunResult | None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            report = json.loads(line)
            while "event" in report and not self.writer.put(report["event"], timeout=TICK):
                if stop := self._reason_to_stop(child):
                    return stop
        return None

    def _reason_to_stop(self, child: subprocess.Popen[bytes]) -> RunResult | None:
        now = time.monotonic()
        try:
            if Run.objects.filter(pk=self.run.pk, cancel_requested_at__isnull=False).exists():
                return RunResult("cancelled", f"Cancelled on request. {'' if self.check else CONTINUE}".strip())
            if now - self._attempted >= settings.RUN_HEARTBEAT:
                self._attempted = now
                if not claims.heartbeat(self.run):
                    return TAKEN_OVER
                self._renewed = now
                self._send(child, str(self._lease_end()))
        except DatabaseFailed:
            logger.warning("run %s: the database does not answer", self.run.pk, exc_info=True)
            connection.close()
        if time.monotonic() - self._renewed > settings.RUN_LEASE:
            return CUT_OFF
        if now > self._deadline:
            return RunResult("failed", f"It took longer than {in_words(self.run.timeout_seconds)} and was stopped.")
        return None


def in_words(seconds: int) -> str:
    """`3600` as `60 minutes`, `90` as `90 seconds`."""
    count, unit = (seconds // 60, "minute") if seconds % 60 == 0 and seconds else (seconds, "second")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
