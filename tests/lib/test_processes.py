from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from pathlib import Path

import pytest

from forgelab.lib import processes
from forgelab.lib.processes import RUN_MARK, end_marked, is_running, machine_id, marked, start_time


@pytest.fixture
def mark():
    value = str(uuid.uuid4())
    yield value
    end_marked(value)


@pytest.fixture
def spawn(mark):
    """Start Python text with the mark; returns once it has printed a line."""
    started = []

    def start(text: str, **environment: str) -> subprocess.Popen:
        environment = environment or {RUN_MARK: mark}
        process = subprocess.Popen(
            [sys.executable, "-uc", textwrap.dedent(text)], env={**os.environ, **environment}, stdout=subprocess.PIPE
        )
        started.append(process)
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


SLEEP = "import time; print(); time.sleep(60)"
TREE = """
    import os, subprocess, sys, time
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)                     # its child belongs to process 1 now
        subprocess.Popen([sys.executable, "-c", "import time; print(); time.sleep(60)"])
    time.sleep(60)
"""
STUBBORN = """
    import signal, time
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    print()
    time.sleep(60)
"""


def test_a_marked_process_is_found(spawn, mark):
    process = spawn(SLEEP)
    assert marked(mark) == [process.pid]


def test_the_process_that_looks_does_not_find_itself(mark):
    look = f"from forgelab.lib.processes import *; print(marked({mark!r}), end_marked({mark!r}))"
    environment = {**os.environ, RUN_MARK: mark}
    done = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[] 0\n"


def test_a_mark_that_only_begins_alike_is_another_one(spawn, mark):
    spawn(SLEEP, **{RUN_MARK: mark + "0"})
    spawn(SLEEP, **{"X" + RUN_MARK: mark})
    assert marked(mark) == []
    end_marked(mark + "0")


def test_descendants_are_ended_whatever_session_or_parent_they_have(spawn, mark):
    spawn(TREE)
    assert len(marked(mark)) == 3
    assert end_marked(mark) == 3
    assert marked(mark) == []


def test_a_process_that_ignores_being_asked_is_killed(spawn, mark):
    process = spawn(STUBBORN)
    end_marked(mark)
    assert process.wait(timeout=10) == -signal.SIGKILL


def test_who_obeys_is_asked_and_not_killed(spawn, mark):
    process = spawn(SLEEP)
    end_marked(mark)
    assert process.wait(timeout=30) == -signal.SIGTERM


def test_processes_that_are_born_meanwhile_are_ended_too(spawn, mark):
    spawn("""
        import signal, subprocess, sys, time
        def again(*_):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        signal.signal(signal.SIGTERM, again)
        print()
        while True: time.sleep(0.01)
    """)
    end_marked(mark)
    time.sleep(0.2)
    assert marked(mark) == []


def test_the_connection_master_of_ssh_is_found_although_it_wipes_its_environment(mark, tmp_path):
    title = f"ssh: {tmp_path}/{mark}/cp/1a2b3c [mux]"
    process = subprocess.Popen(["bash", "-c", 'exec -a "$0" cat', title], env={"PATH": os.environ["PATH"]}, stdin=-1)
    bystander = subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"], "RUN": mark})
    try:
        time.sleep(0.2)
        assert marked(mark) == [process.pid]
    finally:
        for each in (process, bystander):
            each.kill()
            each.communicate()


def test_one_that_nothing_ends_does_not_hold_everything_up(monkeypatch, caplog):
    monkeypatch.setattr(processes, "marked", lambda value, name: [2**22 + 1])
    monkeypatch.setattr(processes, "KILL_TIMEOUT", 0.1)
    assert end_marked("x", grace=0) == 1
    assert "do not end, even by SIGKILL" in caplog.text


def test_a_pid_that_is_used_again_is_no_proof_of_life():
    started = start_time(os.getpid())
    assert is_running(os.getpid(), started)
    assert not is_running(os.getpid(), str(int(started) - 1))
    assert not is_running(0, "")


def test_a_process_that_has_ended_is_not_running_even_while_nobody_has_taken_note():
    process = subprocess.Popen(["sleep", "0"])
    deadline = time.monotonic() + 5
    while start_time(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert start_time(process.pid) is None  # a zombie: wait() has not been called
    process.wait()


def test_a_process_whose_name_has_brackets_and_spaces_is_read_right():
    process = subprocess.Popen(
        ["bash", "-c", "printf 'a) b (c' >/proc/self/comm; echo; read line"], stdin=-1, stdout=-1
    )
    process.stdout.readline()
    assert is_running(process.pid, start_time(process.pid))
    assert int(start_time(process.pid)) > 0
    process.communicate(b"\n")


def test_the_machine_is_named_with_its_boot_and_its_pid_namespace():
    host, boot, space = machine_id().split("/")
    assert host
    assert uuid.UUID(boot)
    assert space.isdigit()
    assert len(machine_id()) <= 128
    inside = [sys.executable, "-c", "from forgelab.lib.processes import machine_id; print(machine_id())"]
    assert subprocess.run(inside, capture_output=True, text=True, check=True).stdout.strip() == machine_id()


PARENT = """
import os, sys, time
from forgelab.lib.processes import die_with_parent
parent = os.getpid()
child = os.fork()
if child == 0:
    die_with_parent({parent})
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""


def test_a_child_ends_with_its_killed_parent():
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(parent="parent")], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 5
    while start_time(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert start_time(child) is None


def test_a_child_whose_parent_was_gone_already_ends_itself():
    # As if the parent had been somebody else, and this one had adopted the child.
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(parent="parent + 1")], stdout=subprocess.PIPE)
    deadline = time.monotonic() + 5
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    while time.monotonic() < deadline:
        pids = children.read_text().split()
        if pids and start_time(int(pids[0])) is None:
            break
        time.sleep(0.02)
    assert pids
    assert start_time(int(pids[0])) is None
    parent.kill()
    assert parent.communicate()[0] == b""
