from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forgelab.lib import processes

PRELUDE = """
import os, signal, subprocess, sys, time
from forgelab.cli.stack import parts
from forgelab.cli.stack.manager import ProcessManager

def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "1000"], start_new_session=True)   # as Ansible's workers do
    print("ready")
    time.sleep(1000)

def fragile():
    print("alive")
    os._exit(7)

def steady():
    print("ready")
    time.sleep(1000)

def show(name, line):
    print(name, line, flush=True)

parts.GRACE = float(sys.argv[2])
ProcessManager({"it": globals()[sys.argv[1]]}, show, lambda pids: None, lambda name: None).run()
"""


class Supervised:
    def __init__(self, life: str, grace: float, mark: str) -> None:
        self.mark = mark
        self.process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE, life, str(grace)], stdout=subprocess.PIPE, text=True,
            env={"MARK": mark, "PATH": "/usr/bin:/bin"},
            cwd=Path(__file__).resolve().parents[3],
        )  # fmt: skip

    def line(self) -> str:
        return self.process.stdout.readline().strip()

    def left(self) -> list[int]:
        return processes.marked(self.mark, "MARK")


@pytest.fixture
def mark(tmp_path: Path) -> object:
    yield str(tmp_path)
    processes.end_marked(str(tmp_path), name="MARK")


def test_a_child_that_will_not_end_is_ended_with_all_its_descendants(mark: str) -> None:
    supervised = Supervised("stubborn", 0.5, mark)
    assert supervised.line() == "it ready"
    supervised.process.send_signal(signal.SIGTERM)
    assert "did not end by themselves" in supervised.line()
    assert supervised.process.wait(timeout=60) == 0
    assert supervised.left() == []


def test_a_second_signal_does_not_wait(mark: str) -> None:
    supervised = Supervised("stubborn", 1000, mark)
    assert supervised.line() == "it ready"
    supervised.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    supervised.process.send_signal(signal.SIGINT)
    assert supervised.process.wait(timeout=60) == 0
    assert supervised.left() == []


def test_a_child_that_ends_is_started_again_ever_more_slowly(mark: str) -> None:
    supervised = Supervised("fragile", 1, mark)
    lines = [supervised.line() for _ in range(4)]
    assert sorted(lines) == sorted(
        ["it alive", "it it ended with status 7; it is started again in 1 s",
         "it alive", "it it ended with status 7; it is started again in 2 s"]
    )  # fmt: skip
    supervised.process.terminate()
    assert supervised.process.wait(timeout=60) == 0


def test_children_end_with_a_manager_that_is_killed(mark: str) -> None:
    supervised = Supervised("steady", 1, mark)
    assert supervised.line() == "it ready"
    supervised.process.kill()
    supervised.process.wait()
    deadline = time.monotonic() + 60
    while supervised.left() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert supervised.left() == []
