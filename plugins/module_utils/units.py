"""systemd units looked at together, and changed only where they are off (runs on the device)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence

PROPERTIES = (
    "LoadState",
    "ActiveState",
    "UnitFileState",
    "NeedDaemonReload",
    "ReloadResult",
    "StateChangeTimestampMonotonic",
)
Runner = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


class UnitFailed(Exception):
    """A unit cannot be enabled or started; the text is a sentence for the user."""


def systemctl(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `systemctl` with `arguments` and return its output as text."""
    return subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)


def parse_show(output: str, units: Sequence[str]) -> dict[str, dict[str, str]]:
    """Properties by unit from `systemctl show`, whose blocks stand in the order of the units asked for."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in output.strip().split("\n\n")]
    return dict(zip(units, blocks, strict=False))


def look_at(units: Sequence[str], run: Runner = systemctl) -> dict[str, dict[str, str]]:
    """State of all `units` from one call of systemctl."""
    if not units:
        return {}
    return parse_show(run(["show", f"--property={','.join(PROPERTIES)}", "--", *units]).stdout, units)


def actions_for(state: dict[str, str]) -> list[str]:
    """What a unit in this state needs to be enabled and running: some of `enable` and `start`."""
    needed = []
    if state.get("UnitFileState") in ("disabled", "enabled-runtime"):
        needed.append("enable")
    if state.get("ActiveState") not in ("active", "activating", "reloading"):
        needed.append("start")
    return needed


def unread_since(state: dict[str, str], written: float, now: float, monotonic: float) -> bool:
    """Whether an active unit was last started or reloaded before `written` (seconds since the epoch), or in vain.

    systemd stamps StateChangeTimestampMonotonic (microseconds of CLOCK_MONOTONIC) at start and at each reload.
    A time of writing in the future proves nothing: the clock was set back since.
    """
    if state.get("ActiveState") != "active" or written > now:
        return False
    if state.get("ReloadResult", "success") != "success":
        return True
    changed = int(state.get("StateChangeTimestampMonotonic") or 0) / 1_000_000
    return now - (monotonic - changed) < written


def unread_units(units: Sequence[str], written: float, run: Runner = systemctl) -> list[str]:
    """Those of `units` that run with a configuration older than `written`."""
    states = look_at(units, run)
    return [unit for unit, state in states.items() if unread_since(state, written, time.time(), time.monotonic())]


def ensure_units(
    units: Sequence[str], dry: bool, run: Runner = systemctl, *, changed: Sequence[str] = ()
) -> dict[str, list[str]]:
    """Enable and start what is not, and return what each of those units needed. Raises UnitFailed. With `dry` nothing
    is done.

    `changed` are the files just written: NeedDaemonReload stays `no` for a drop-in whose folder is new, because systemd
    remembers which folders there are (seen with systemd 252).
    """
    if not units:
        return {}
    states = look_at(units, run)
    stale = any(state.get("NeedDaemonReload") == "yes" for state in states.values())
    if not dry and (stale or any(path.startswith("/etc/systemd/") for path in changed)):
        run(["daemon-reload"])
        states = look_at(units, run)
    touched = {}
    for unit in units:
        state = states.get(unit, {})
        needed = actions_for(state)
        if needed:
            touched[unit] = needed
        if not dry:
            _act(unit, state, needed, run)
    return touched


def _act(unit: str, state: dict[str, str], needed: list[str], run: Runner) -> None:
    if state.get("LoadState") == "masked":
        raise UnitFailed(f"{unit} is masked on this device: run `systemctl unmask {unit}`, then run again.")
    if state.get("LoadState") == "not-found":
        raise UnitFailed(f"This device has no unit {unit}: is the package that brings it installed?")
    for action in needed:
        done = run([action, unit])
        if done.returncode:
            log = run(["status", "--no-pager", "--lines=15", unit]).stdout
            raise UnitFailed(f"`systemctl {action} {unit}` failed: {done.stderr.strip()}\n{log}".strip())
