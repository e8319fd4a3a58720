"""Which process holds a lock on a device, such as one of apt's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.roles.helpers import load_plugin


def test_locks_that_nobody_holds_are_free() -> None:
    locks = load_plugin("module_utils.locks")
    assert locks.lock_holder("/nowhere/lock") is None


def test_the_holder_of_a_lock_is_named(tmp_path: Path) -> None:
    locks = load_plugin("module_utils.locks")
    path = tmp_path / "lock"
    path.touch()
    program = (
        "import fcntl,sys; f=open(sys.argv[1],'w'); fcntl.lockf(f,fcntl.LOCK_EX); print('held',flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdin
        holder.stdout.readline()
        assert locks.lock_holder(str(path)) == holder.pid
        holder.stdin.write("\n")
        holder.stdin.flush()
    assert locks.lock_holder(str(path)) is None
