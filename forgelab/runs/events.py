"""The shape of events: what is kept of those ansible-runner sends. Pure.

Much of an event comes from the device, which may send anything: what no database takes is replaced here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

from forgelab.runs.diffs import unified

# They double the rows and say nothing that the result does not say again.
UNSTORED = frozenset({"runner_on_start", "verbose"})
MAX_RESULT = 16_000  # characters of JSON; longer results keep their messages only
MAX_STDOUT = 8_000
MAX_DEPTH = 30
KEPT_OF_LONG_RESULTS = (
    "msg", "changed", "rc", "stdout", "stderr", "forgelab", "managed", "changed_files", "started_units", "missing",
    "commands",
)  # fmt: skip
TASK_START, HANDLER_START = "playbook_on_task_start", "playbook_on_handler_task_start"
FAILED = frozenset({"runner_on_failed", "runner_on_unreachable", "runner_on_async_failed"})
STATS = ("ok", "changed", "failures", "dark", "skipped", "rescued")


class Mask:
    """Replaces known secrets in events: the last line of defence behind `no_log`."""

    REPLACEMENT = "********"
    SHORTEST = 6  # shorter ones would blacken ordinary text

    def __init__(self, secrets: Iterable[str]) -> None:
        # Ansible prints results as JSON and wraps text into lines: a secret is sought in those spellings as well.
        whole = {secret for secret in secrets if len(secret) >= self.SHORTEST}
        lines = {line for secret in whole for line in secret.splitlines() if len(line) > 2 * self.SHORTEST}
        spellings = {
            spelling
            for text in whole | lines
            for spelling in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
            if not spelling.startswith("-----")
        }
        longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if spellings else None

    def text(self, text: str) -> str:
        return self._secrets.sub(self.REPLACEMENT, text) if self._secrets else text


NOTHING = Mask(())


def slim(event: dict[str, Any], mask: Mask = NOTHING) -> dict[str, Any]:
    """The part of an ansible-runner event that is stored: masked, small enough to send and keep."""
    data = event.get("event_data") or {}
    result = data.get("res")
    if event["event"] == "playbook_on_stats":
        result = {name: data.get(name) or {} for name in STATS}
    return {
        "counter": event["counter"],
        "kind": _kind(event["event"], data),
        "created": event.get("created"),
        "pid": event.get("pid"),
        "role": clean(data.get("role") or "")[:64],
        "task": mask.text(clean(data.get("task") or ""))[:200],
        "host": clean(data.get("host") or "")[:63],
        "seconds": data.get("duration"),
        "ignored": bool(data.get("ignore_errors")),
        # Masked before it is cut: half a secret would not be recognised.
        "stdout": mask.text(clean(event.get("stdout") or ""))[-MAX_STDOUT:],
        "result": small(result, mask) if isinstance(result, dict) else None,
    }


def _kind(name: str, data: dict[str, Any]) -> str:
    """ansible-runner has one name for the start of tasks and of handlers, and a word beside it."""
    return HANDLER_START if name == TASK_START and data.get("is_conditional") else name[:48]


def small(result: dict[str, Any], mask: Mask = NOTHING) -> dict[str, Any]:
    """A task's result without its invocation, masked, and cut down when it is longer than `MAX_RESULT`.

    A diff is kept as a unified one, within bounds of its own: it is what a plan is made for.
    """
    kept = {name: value for name, value in result.items() if name not in ("invocation", "_ansible_no_log")}
    kept = _tidy(kept, mask)
    diff = unified(kept.pop("diff", None))
    if _length(kept) > MAX_RESULT:
        cut = {name: _tail(kept[name]) for name in KEPT_OF_LONG_RESULTS if name in kept}
        kept = {name: value for name, value in cut.items() if _length(value) <= MAX_RESULT}
    return {**kept, "diff": diff} if diff else kept


def _tidy(value: Any, mask: Mask, depth: int = 0) -> Any:
    """`value` as every database's JSON takes it."""
    if isinstance(value, str):
        return mask.text(clean(value))
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if depth < MAX_DEPTH and isinstance(value, dict):
        return {mask.text(clean(str(name))): _tidy(item, mask, depth + 1) for name, item in value.items()}
    if depth < MAX_DEPTH and isinstance(value, list | tuple):
        return [_tidy(item, mask, depth + 1) for item in value]
    return mask.text(clean(str(value)))[:MAX_STDOUT]


def _length(value: Any) -> int:
    return len(json.dumps(value))


def _tail(value: Any) -> Any:
    return value[-MAX_RESULT // 8 :] if isinstance(value, str) else value


def clean(text: str) -> str:
    """The text without what PostgreSQL does not store: NUL, and halves of characters (lone surrogates)."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def is_failure(event: dict[str, Any]) -> bool:
    """Whether this event means that a task failed and nobody ignored it."""
    return event["kind"] in FAILED and not event["ignored"]
