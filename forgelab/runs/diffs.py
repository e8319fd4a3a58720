"""Ansible's diffs as short unified ones, small enough to keep. Pure."""

from __future__ import annotations

import difflib
import json
from typing import Any

MAX_TEXT = 20_000  # characters of one file's diff
MAX_ALL = 120_000  # characters of one task's diffs together
TOO_LONG = "(too long to be shown)\n"


def unified(diff: Any) -> list[dict[str, str]]:
    """What a task's `diff` says, as `path` and `text` of each file; nonsense is passed over."""
    entries = diff if isinstance(diff, list) else [diff]
    found = [_entry(entry) for entry in entries if isinstance(entry, dict)]
    left = MAX_ALL
    for entry in found:
        left -= len(entry["text"])
        if left < 0:
            entry["text"] = TOO_LONG
    return [entry for entry in found if entry["text"]]


def _entry(entry: dict[str, Any]) -> dict[str, str]:
    path = str(entry.get("after_header") or entry.get("before_header") or "")[:500]
    if "prepared" in entry:
        return {"path": path, "text": _short(_text(entry["prepared"]))}
    before, after = _text(entry.get("before")), _text(entry.get("after"))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=3, lineterm="")
    return {"path": path, "text": _short("".join(f"{line}\n" for line in list(lines)[2:]))}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, sort_keys=True, default=str)


def _short(text: str) -> str:
    if len(text) <= MAX_TEXT:
        return text
    kept = text[:MAX_TEXT].rpartition("\n")[0]
    return f"{kept}\n({text.count(chr(10)) - kept.count(chr(10)) - 1} more lines)\n"
