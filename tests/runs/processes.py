"""The processes of a run on this machine, a task that sleeps for long, waiting, and workers that are made up."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from forgelab.lib import processes
from forgelab.lib.processes import marked
from forgelab.runs.models import Run
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


def works(run, process):
    """Have `process` be the worker of `run`."""
    Run.objects.filter(pk=run.pk).update(worker_pid=process.pid, worker_started=processes.start_time(process.pid))


def ago(**time):
    return timezone.now() - timedelta(**time)
