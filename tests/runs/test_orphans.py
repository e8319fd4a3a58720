"""What is left on a device is ended there: the real script, with this machine as the device."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import pytest

from forgelab.devices import ssh
from forgelab.lib.processes import RUN_MARK
from forgelab.runs import orphans

pytestmark = pytest.mark.django_db

IGNORES = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); time.sleep(60)"


@pytest.fixture(autouse=True)
def here(monkeypatch):
    def run_script(device, script, *, root=False, timeout=20, connect_timeout=5):
        assert root
        done = subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, timeout=timeout, check=True)
        return done.stdout

    monkeypatch.setattr(ssh, "run_script", run_script)


@pytest.fixture
def start():
    started = []

    def start(mark, code="import time; print(); time.sleep(60)"):
        environment = {**os.environ, RUN_MARK: str(mark)}
        process = subprocess.Popen([sys.executable, "-uc", code], env=environment, stdout=-1, start_new_session=True)
        process.stdout.readline()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_runs_processes_are_ended_and_no_others(device, start):
    mine, other = uuid.uuid4(), uuid.uuid4()
    gentle, stubborn, stranger = start(mine), start(mine, IGNORES), start(other)
    assert orphans.end_on_device(device, [mine])
    assert gentle.wait(30) == -15
    assert stubborn.wait(30) == -9
    assert stranger.poll() is None


def test_several_runs_are_ended_in_one_go(device, start):
    marks = [uuid.uuid4(), uuid.uuid4()]
    processes = [start(mark) for mark in marks]
    assert orphans.end_on_device(device, marks)
    assert [process.wait(30) for process in processes] == [-15, -15]


def test_where_nothing_is_left_it_is_sure_of_it(device):
    assert orphans.end_on_device(device, [uuid.uuid4()])


@pytest.mark.parametrize("error", [ssh.DeviceUnreachable("off"), RuntimeError("sudo: a password is required")])
def test_a_device_that_can_not_be_asked_is_not_sure(device, monkeypatch, error):
    def fail(*args, **more):
        raise error

    monkeypatch.setattr(ssh, "run_script", fail)
    assert not orphans.end_on_device(device, [uuid.uuid4()])


@pytest.mark.parametrize("answer", ["found=1 left=1\n", "", "left=", "left=0 and more"])
def test_a_process_that_does_not_end_is_reported(device, monkeypatch, answer):
    monkeypatch.setattr(ssh, "run_script", lambda *args, **more: answer)
    assert not orphans.end_on_device(device, [uuid.uuid4()])
