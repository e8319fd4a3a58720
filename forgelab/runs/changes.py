"""What a run in Ansible's check mode found that would change, step by step. Pure: events in, data out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from forgelab.runs.events import HANDLER_START

# Which kind of thing the items of a module's result are, by the result's key.
KINDS = {
    "changed_files": "file",
    "missing": "package",
    "repaired": "package to repair",
    "started_units": "service to start",
    "enabled_units": "service to enable",
    "unread_units": "service with old configuration",
    "stopped_units": "service to stop",
    "disabled_units": "service to disable",
    "removed_files": "file to remove",
    "restored_files": "file to put back",
    "removed_directories": "folder to remove",
    "purged": "package to remove",
    "commands": "firewall rule",
}
# How a role's condition leaves out, in check mode, what only a running service could answer.
LEFT_OUT = re.compile(r"ansible_check_mode|_is_missing\b")


@dataclass(frozen=True)
class Change:
    """One thing that would change: `kind` (file, package, command, ...), `what` (path, name), unified `diff` or ""."""

    kind: str
    what: str
    diff: str = ""


@dataclass
class StepChanges:
    """What one step would change. `handlers` would run because of it; `more` cannot be foretold before it is done."""

    role: str
    title: str
    changes: list[Change] = field(default_factory=list)
    handlers: list[str] = field(default_factory=list)
    more: bool = False


def changes_of(events: Iterable[Mapping[str, Any]], titles: Mapping[str, str]) -> list[StepChanges]:
    """The steps that would change something, in order. `titles` are all steps' titles by role.

    Events are mappings with `kind`, `role`, `task`, `changed` and `result`, in the order of their counters.
    """
    steps = {role: StepChanges(role, title) for role, title in titles.items()}
    handler = False
    for event in events:
        if event["kind"].startswith("playbook_on_"):
            handler = event["kind"] == HANDLER_START
        step = steps.get(event["role"])
        if step is not None:
            _take(step, event, event["result"] or {}, handler)
    return [step for step in steps.values() if step.changes]


def _take(step: StepChanges, event: Mapping[str, Any], result: Mapping[str, Any], handler: bool) -> None:
    if event["kind"] == "runner_on_skipped":
        left_out = LEFT_OUT.search(str(result.get("false_condition", ""))) is not None
        command = result.get("rc") == 0  # a command is skipped by its module, which then says that it would run
        if handler and (left_out or command):
            _add_once(step.handlers, event["task"])
        elif left_out:
            step.more = True
        elif command and not step.role.endswith("_post_install"):  # those run every time and count as no change
            step.changes.append(Change("command", event["task"]))
    elif event["kind"] == "runner_on_ok" and event["changed"]:
        if handler:
            _add_once(step.handlers, event["task"])
        else:
            step.changes += _changes(event["task"], result)


def _add_once(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)


def _changes(task: str, result: Mapping[str, Any]) -> list[Change]:
    diffs = _diffs(result)
    if result.get("changed_files"):  # a unit that reads them is restarted anyway
        result = {**result, "unread_units": []}
    found = [
        Change(kind, str(item), diffs.get(str(item), "") if kind == "file" else "")
        for key, kind in KINDS.items()
        if isinstance(result.get(key), list)
        for item in result[key]
    ]
    return found or [Change("task", task, "\n".join(diffs.values()))]


def _diffs(result: Mapping[str, Any]) -> dict[str, str]:
    """Diffs by path; a path that comes twice (a folder and its owner) has both."""
    found: dict[str, str] = {}
    for entry in result.get("diff") or []:
        if isinstance(entry, dict):
            path = str(entry.get("path", ""))
            found[path] = found.get(path, "") + str(entry.get("text", ""))
    return found


def count(steps: Iterable[StepChanges]) -> int:
    return sum(len(step.changes) for step in steps)


def summary(steps: list[StepChanges]) -> str:
    """`No changes`, or `7 changes in 3 steps`."""
    number = count(steps)
    if not number:
        return "No changes"
    return f"{number} change{'s' * (number != 1)} in {len(steps)} step{'s' * (len(steps) != 1)}"
