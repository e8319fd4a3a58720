"""Where a run's time goes, from its events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from bench.report import Table

STARTS = frozenset({"playbook_on_task_start", "playbook_on_handler_task_start", "playbook_on_stats"})


class Spent(NamedTuple):
    """A task: `seconds` until the next one began, so Ansible's own work between tasks is in it."""

    role: str
    task: str
    seconds: float
    state: str


def tasks(events: Sequence[dict[str, Any]]) -> list[Spent]:
    """The tasks of a run in order; a task that is performed for several hosts or items is one."""
    starts = [event for event in events if event["kind"] in STARTS]
    return [
        Spent(start["role"], start["task"], (_time(end) - _time(start)).total_seconds(), _state(events, start, end))
        for start, end in pairwise(starts)
    ]


def _time(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["created_at"])


def _state(events: Iterable[dict[str, Any]], start: dict[str, Any], end: dict[str, Any]) -> str:
    within = [event for event in events if start["counter"] < event["counter"] < end["counter"]]
    if any(event["changed"] for event in within):
        return "changed"
    kinds = {event["kind"] for event in within}
    return "ok" if "runner_on_ok" in kinds else "skipped" if "runner_on_skipped" in kinds else ""


def by_task(run: dict[str, Any], events: Sequence[dict[str, Any]], about: str, least: float = 0.0) -> Table:
    """The run's tasks of `least` seconds or more, the others in one line, and what lies before and after them."""
    table = Table(about, ("Role", "Task", "", "Seconds"))
    done = tasks(events)
    before = (datetime.fromisoformat(run["started_at"]), next(_time(e) for e in events if e["kind"] in STARTS))
    after = (_time(events[-1]), datetime.fromisoformat(run["finished_at"]))
    table.add("", "ForgeLab and Ansible start", "", _seconds(before))
    for spent in done:
        if spent.seconds >= least:
            table.add(spent.role, spent.task, spent.state, spent.seconds)
    small = [spent for spent in done if spent.seconds < least]
    if small:
        table.add("", f"{len(small)} tasks of less than {least:g} s", "", sum(spent.seconds for spent in small))
    table.add("", "Ansible ends, ForgeLab closes the run", "", _seconds(after))
    table.add("", "together", "", run["seconds"])
    return table


def _seconds(span: tuple[datetime, datetime]) -> float:
    return (span[1] - span[0]).total_seconds()


def by_step(run: dict[str, Any]) -> Table:
    table = Table("The same run, step by step as its page shows it.", ("Step", "Seconds"))
    for step in run["steps"]:
        table.add(step["title"], step["seconds"])
    return table


def by_state(events: Sequence[dict[str, Any]]) -> Table:
    """What tasks cost by what became of them."""
    table = Table("The same by what became of the tasks.", ("Tasks", "Number", "Seconds", "Each"))
    groups: dict[str, list[float]] = {}
    for spent in tasks(events):
        kind = (
            "arguments validated"
            if spent.task.startswith("Validating arguments")
            else spent.state or "on the controller"
        )
        groups.setdefault(kind, []).append(spent.seconds)
    for kind, seconds in sorted(groups.items()):
        table.add(kind, len(seconds), sum(seconds), sum(seconds) / len(seconds))
    return table
