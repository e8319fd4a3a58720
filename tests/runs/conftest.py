"""A run that this process has claimed, a playbook process that performs a project for it, and a pretended one."""

from __future__ import annotations

import subprocess
import threading
from functools import partial

import pytest
from django.db import connection

from forgelab.lib.processes import end_marked
from forgelab.runs import claims, kinds
from forgelab.runs.models import Run
from forgelab.runs.playbook import PlaybookProcess
from forgelab.runs.results import RunResult, RunSummary
from tests.runs.local import project
from tests.support.kinds import TEST


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs that came as far as Ansible, which succeeds at once."""
    done: list[Run] = []

    def perform(self: PlaybookProcess) -> RunResult:
        done.append(self.run)
        self.writer.summary = RunSummary(stats={"ok": {}}, learned={})
        self.writer.finish()
        return RunResult("succeeded")

    monkeypatch.setattr(PlaybookProcess, "perform", perform)
    return done


@pytest.fixture
def ended_on_device(monkeypatch):
    asked: list[str] = []

    def end_on_device(device, run_ids, timeout=15):
        asked.extend(str(run_id) for run_id in run_ids)
        return True

    monkeypatch.setattr("forgelab.runs.orphans.end_on_device", end_on_device)
    return asked


@pytest.fixture
def listen(monkeypatch):
    """Listen to the end of runs of the tests' kind, until this test ends."""
    monkeypatch.setitem(kinds._listeners, TEST.name, [])
    return partial(kinds.on_end, TEST.name)


@pytest.fixture
def worker():
    """A process that stands for a worker, marked by nothing."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def claimed(run, ended_on_device):
    yield claims.claim(run.pk)
    end_marked(str(run.pk))


@pytest.fixture
def supervise(claimed, tmp_path):
    """Perform a project in a thread; `wait` gives the result."""

    class Performance(threading.Thread):
        def __init__(self, roles, **more) -> None:
            super().__init__(daemon=True)
            self.process = PlaybookProcess(claimed, project(tmp_path, roles, **more), "laravel", ["s3cret-token"])
            self.result = None
            self.start()

        def run(self) -> None:
            try:
                self.result = self.process.perform()
            finally:
                connection.close()

        def wait(self):
            self.join(timeout=60)
            assert self.result, "it has not ended"
            return self.result

    return Performance
