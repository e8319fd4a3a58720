from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from forgelab.lab.errors import LabError
from forgelab.lab.processes import PidFile, last_lines, locked, run, start_daemon, wait_until


@pytest.fixture
def pidfile(tmp_path):
    file = PidFile(tmp_path / "it.pid")
    yield file
    file.end()


def test_a_failing_command_is_reported_in_its_own_words():
    with pytest.raises(LabError, match=r"`sh -c 'echo no route >&2; exit 3'` failed \(3\): no route"):
        run("sh", "-c", "echo no route >&2; exit 3")


def test_a_daemon_outlives_its_starter_and_is_found_by_its_pid_file(tmp_path, pidfile):
    start_daemon(["sleep", "60"], log=tmp_path / "log", pidfile=pidfile)
    again = PidFile(pidfile.path)
    assert again.pid() is not None
    assert os.getsid(again.pid()) != os.getsid(0)
    again.end()
    assert again.pid() is None
    assert not pidfile.path.exists()


def test_a_daemon_does_not_carry_its_starters_secrets(tmp_path, pidfile, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "do-not-keep")
    start_daemon(["sh", "-c", "env; exec sleep 60"], log=tmp_path / "log", pidfile=pidfile)
    assert wait_until(lambda: "PATH=" in (tmp_path / "log").read_text(), 5)
    assert "do-not-keep" not in (tmp_path / "log").read_text()


def test_a_reused_pid_is_not_taken_for_the_process(tmp_path):
    file = PidFile(tmp_path / "it.pid")
    file.path.write_text(f"{os.getpid()} 1\n")
    assert file.pid() is None
    file.end()


def test_a_process_that_ignores_the_polite_signal_is_ended_all_the_same(tmp_path, pidfile):
    start_daemon(
        ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"], log=tmp_path / "log", pidfile=pidfile
    )
    assert wait_until(lambda: "deaf" in (tmp_path / "log").read_text(), 5)
    pidfile.end(timeout=0.2)
    assert pidfile.pid() is None


def test_a_dead_child_that_nobody_waited_for_counts_as_gone(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    file = PidFile(tmp_path / "it.pid")
    file.write(child.pid)
    assert file.pid() == child.pid
    child.stdin.close()
    assert wait_until(lambda: file.pid() is None, 5)
    child.wait()


def test_a_lock_lets_one_in_at_a_time(tmp_path):
    entered = threading.Event()

    def enter():
        with locked(tmp_path / "lock"):
            entered.set()

    with locked(tmp_path / "lock"):
        other = threading.Thread(target=enter)
        other.start()
        assert not entered.wait(0.2)
    assert entered.wait(30)
    other.join()


def test_waiting_ends_when_time_is_up():
    assert wait_until(lambda: False, 0.05) is False
    assert wait_until(lambda: True, 0) is True


def test_the_end_of_a_log_is_enough(tmp_path):
    (tmp_path / "log").write_text("\n".join(f"line {n}" for n in range(50)))
    assert last_lines(tmp_path / "log", 2) == "  line 48\n  line 49"
    assert last_lines(tmp_path / "absent") == "(no log)"
