"""The processes of a run on this machine, with a task that sleeps for long; and waiting for them."""

from __future__ import annotations

import time
from pathlib import Path

from forgelab.lib.processes import marked
from tests.runs.local import shell

SLEEP = {"nginx": [shell("sleep 60", "Sleep for long")], "php": [shell("true")]}


def wait_for(condition, what="", seconds=20):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return found


def sleepers(run):
    """The marked processes that are the `sleep` of the task itself; Ansible has short ones (`sleep 0`) of its own."""
    found = []
    for pid in marked(str(run.pk)):
        try:
            if Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x0060\0":
                found.append(pid)
        except OSError:
            pass
    return found


def cmdline(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
