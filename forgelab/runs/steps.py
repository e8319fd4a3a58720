"""How events move a run's steps. Pure but for the step objects it changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from forgelab.runs.events import HANDLER_START, TASK_START, is_failure
from forgelab.runs.models import Step


class StepTracker:
    """Follows the events of a run; `take` returns the steps that an event changed."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = {step.role: step for step in steps}
        self.current: Step | None = None
        self._entered: datetime | None = None
        self.last_failure: dict[str, Any] | None = None

    def take(self, event: dict[str, Any], at: datetime) -> list[Step]:
        """Take the next event, made by Ansible `at` that time."""
        changed = self._move_to(event["role"], at) if event["kind"] in (TASK_START, HANDLER_START) else []
        if event["kind"] == "playbook_on_stats":
            return [*changed, *self._leave(at), *self._rescued(event["result"] or {})]
        step = self.steps.get(event["role"])
        if step is None:
            return changed
        if is_failure(event):
            self.last_failure = event
            step.status, step.detail = Step.Status.FAILED, failure_message(event)
        elif event["kind"] == "runner_on_ok" and (event["result"] or {}).get("changed"):
            step.changed = True
        else:
            return changed
        self._count_seconds(step, at)
        return [*changed, step]

    def _move_to(self, role: str, at: datetime) -> list[Step]:
        step = self.steps.get(role)
        if step is None or step is self.current:
            return []
        changed = self._leave(at)
        self.current, self._entered = step, at
        # A handler brings the play back to a step that is done: its seconds go on, its status stays until it ends.
        if step.status in (Step.Status.PENDING, Step.Status.SUCCEEDED):
            step.status = Step.Status.RUNNING
        return [*changed, step]

    def _leave(self, at: datetime) -> list[Step]:
        step = self.current
        if step is None:
            return []
        self._count_seconds(step, at)
        if step.status == Step.Status.RUNNING:
            step.status = Step.Status.SUCCEEDED
        self.current = self._entered = None
        return [step]

    def _count_seconds(self, step: Step, at: datetime) -> None:
        if step is self.current and self._entered is not None:
            step.seconds = round((step.seconds or 0) + max(0.0, (at - self._entered).total_seconds()), 3)
            self._entered = at

    def _rescued(self, stats: dict[str, Any]) -> list[Step]:
        """A rescued failure looks like any other until the recap counts none."""
        failed = [step for step in self.steps.values() if step.status == Step.Status.FAILED]
        if any(any((stats.get(name) or {}).values()) for name in ("failures", "dark")):
            return []
        for step in failed:
            step.status, step.detail = Step.Status.SUCCEEDED, ""
        return failed

    def complete(self) -> list[Step]:
        """The run succeeded: a step still pending had nothing to do."""
        for step in self.steps.values():
            if step.status == Step.Status.PENDING:
                step.status = Step.Status.SKIPPED
        return list(self.steps.values())

    def abandon(self, detail: str, *, failed: bool) -> list[Step]:
        """The run ended early: what was running `failed` or was stopped, with `detail`; the rest is not reached."""
        for step in self.steps.values():
            if step.status == Step.Status.RUNNING:
                step.status = Step.Status.FAILED if failed else Step.Status.STOPPED
                step.detail = step.detail or detail
            elif step.status == Step.Status.PENDING:
                step.status = Step.Status.SKIPPED
        return list(self.steps.values())


def failure_message(event: dict[str, Any]) -> str:
    """What the failing task said, shortest useful form, with the tail of its output."""
    result = event["result"] or {}
    message = str(result.get("msg") or "").strip()
    if event["kind"] == "runner_on_unreachable":
        if "Host key verification failed" in message:  # ssh's own words are a page; the run's say what to do
            return f"{event['host']}, or a device on the way to it, shows another host key than the pinned one."
        return f"{event['host']} could not be reached any more: {message}"
    output = "\n".join(str(result.get(name) or "").strip() for name in ("stderr", "stdout"))
    tail = "\n".join(output.strip().splitlines()[-15:])
    details = f"{message}\n{tail}".strip() if tail and tail not in message else message
    return f"{event['task']}: {details}" if details else f"{event['task']} failed without a message"
