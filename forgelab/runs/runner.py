"""The process that runs a playbook: `python -m forgelab.runs.runner`, the only importer of ansible-runner.

It is a process of its own because ansible-runner writes the environment it finds to disk, replaces signal handlers and
cannot end what it started. It is given a scrubbed environment, reads its job as one JSON line on standard input and
reports on standard output, a JSON object a line: `{"event": ...}` and at the end `{"done": {"status", "rc"}}`.

Standard input stays open as a lifeline. With every heartbeat that the database took, the worker writes a line to it:
until when (on the clock of `time.monotonic`, which all processes share) the run surely counts as alive. At that time,
since then the worker hangs or is cut off from the database, and at the end of the input, since then the worker is dead,
every process of the run is ended at once.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from typing import Any, TextIO

import ansible_runner

from forgelab.lib.processes import RUN_MARK, end_marked
from forgelab.runs.events import UNSTORED, Mask, slim
from forgelab.runs.results import RUNNER_GAVE_UP
from forgelab.runs.verbose import unfolded

STDIN = 0


def main() -> int:
    job = _read_job()
    reports = _take_stdout()
    threading.Thread(target=_watch_lifeline, args=[job["until"]], daemon=True).start()
    done = _run(job, reports)
    _report(reports, {"done": {"status": done.status, "rc": done.rc}})
    return 0


def _read_job() -> dict[str, Any]:
    """The first line of standard input, read past Python's buffer: the lifeline waits for what comes after it."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(STDIN, 1)
        if not byte:
            sys.exit("the worker ended before it gave a job")
        line += byte
    return dict(json.loads(line))


def _take_stdout() -> TextIO:
    """Keep standard output for reports alone: whatever else prints goes to standard error."""
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return reports


def _watch_lifeline(until: float) -> None:
    line = b""
    while (left := until - time.monotonic()) > 0 and select.select([STDIN], [], [], left)[0]:
        data = os.read(STDIN, 4096)
        if not data:
            break
        *lines, line = (line + data).split(b"\n")
        until = float(lines[-1]) if lines else until
    _give_up()


def _give_up() -> None:
    end_marked(os.environ[RUN_MARK])
    os._exit(RUNNER_GAVE_UP)


def _report(reports: TextIO, message: dict[str, Any]) -> None:
    try:
        reports.write(json.dumps(message, default=str) + "\n")
        reports.flush()
    except BrokenPipeError:  # the worker is dead, and the lifeline may not have said so yet
        _give_up()


def _run(job: dict[str, Any], reports: TextIO) -> ansible_runner.Runner:
    mask = Mask(job["secrets"])

    def handle(event: dict[str, Any]) -> bool:
        if event.get("event") not in UNSTORED:
            _report(reports, {"event": slim(unfolded(event) if job["check"] else event, mask)})
        return False  # so that runner writes no event files

    return ansible_runner.run(
        private_data_dir=job["directory"],
        ident="run",
        playbook=job["playbook"],
        inventory=job["inventory"],
        cmdline="--check --diff --verbose" if job["check"] else None,
        event_handler=handle,
        # Without a callback of our own runner would replace the SIGTERM handler and never restore it.
        cancel_callback=lambda: False,
        suppress_env_files=True,
        fact_cache_type="",
        quiet=True,
        envvars={"ANSIBLE_HOST_KEY_CHECKING": "True"},
        settings={"pexpect_timeout": 1, "suppress_output_file": True},
    )


if __name__ == "__main__":
    sys.exit(main())
