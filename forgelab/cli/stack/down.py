"""`forgelab down` and `forgelab status`."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence

from forgelab.cli.stack import kernel, parts
from forgelab.cli.stack.state import Stack, State, data_dir

NOT_RUNNING = 3  # what a status command ends with for a stopped service (LSB)


def down(argv: Sequence[str]) -> int:
    argparse.ArgumentParser(
        prog="forgelab down", description="Stop ForgeLab; running tasks are given 10 seconds."
    ).parse_args(argv)
    stack = Stack(data_dir())
    state = _starting_or_running(stack)
    if state is None:
        if stack.is_running():
            print("forgelab: another command is just starting it; try again in a moment.", file=sys.stderr)
            return 1
        print("ForgeLab is not running.")
        return 0
    _signal(state, signal.SIGTERM)
    if not _ends(stack, parts.GRACE + 5):
        _signal(state, signal.SIGKILL)  # the kernel ends its children with it
        _ends(stack, 5)
    stack.forget()
    print("ForgeLab is stopped.")
    return 0


def status(argv: Sequence[str]) -> int:
    argparse.ArgumentParser(
        prog="forgelab status", description="Whether ForgeLab runs, where, and how much memory it uses."
    ).parse_args(argv)
    state = _starting_or_running(Stack(data_dir()))
    if state is None:
        print("ForgeLab is not running. Start it with: forgelab up")
        return NOT_RUNNING
    print(f"ForgeLab is running at {state.url} (process {state.pid}, for {_duration(state.seconds)})")
    total = 0.0
    for name, pid in {"forgelab": state.pid, **state.children}.items():
        own = [pid] if name == "forgelab" else [pid, *kernel.descendants(pid)]
        memory = sum(kernel.memory_mb(one) or 0 for one in own)
        total += memory
        print(f"  {name:<10} process {pid:<8} {memory:6.1f} MB")
    print(f"  {'together':<26} {total:6.1f} MB")
    return 0


def _starting_or_running(stack: Stack) -> State | None:
    for _ in range(20):
        if state := stack.read():
            return state
        if not stack.is_running():
            return None
        time.sleep(0.25)
    return None


def _signal(state: State, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(state.pid, number)


def _ends(stack: Stack, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not stack.is_running():
            return True
        time.sleep(0.05)
    return False


def _duration(seconds: float) -> str:
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    return (
        f"{days} days"
        if days > 1
        else f"{hours} hours"
        if hours > 1
        else f"{minutes} min"
        if minutes
        else f"{seconds:.0f} s"
    )
