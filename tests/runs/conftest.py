"""A run that this process has claimed, a supervisor that performs a project for it, and one that only says it did."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from forgelab.lib.processes import end_marked
from forgelab.runs import claims
from forgelab.runs.models import Run
from forgelab.runs.outcome import Ending, Seen
from forgelab.runs.supervisor import Supervisor
from tests.runs.local import project


@pytest.fixture
def performed(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """The runs that came as far as Ansible, which succeeds at once."""
    done: list[Run] = []

    def perform(self: Supervisor) -> Ending:
        done.append(self.run)
        self.writer.seen = Seen(stats={"ok": {}}, learned={})
        self.writer.finish()
        return Ending("succeeded")

    monkeypatch.setattr(Supervisor, "perform", perform)
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
def claimed(run, ended_on_device):
    yield claims.claim(run.pk)
    end_marked(str(run.pk))


@pytest.fixture
def supervise(claimed, tmp_path):
    """Perform a project in a thread; `wait` gives the ending."""

    class Performance(threading.Thread):
        def __init__(self, roles, **more) -> None:
            super().__init__(daemon=True)
            self.supervisor = Supervisor(claimed, project(tmp_path, roles, **more), "laravel", ["s3cret-token"])
            self.ending = None
            self.start()

        def run(self) -> None:
            try:
                self.ending = self.supervisor.perform()
            finally:
                connection.close()

        def wait(self):
            self.join(timeout=60)
            assert self.ending, "it has not ended"
            return self.ending

    return Performance
