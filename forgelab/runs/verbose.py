"""Ansible's verbose output, which runs in check mode ask for: it alone says why a task was skipped. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

COLOUR = r"(?:\x1b\[[0-9;]*m)*"
# One line: `skipping: [web] => {"changed": false, ...}`
SAID = re.compile(rf"^({COLOUR}(?:ok|changed|skipping): \[[^\n]*?) => (\{{.*\}})({COLOUR}\r?)$", re.MULTILINE)


def unfolded(event: dict[str, Any]) -> dict[str, Any]:
    """The event of a verbose run as a quiet one has it, but with the result of a skipped task."""
    said = SAID.search(event.get("stdout") or "")
    if not said:
        return event
    data = dict(event.get("event_data") or {})
    if event["event"] == "runner_on_skipped" and "res" not in data:
        data["res"] = _result(said[2])
    return {**event, "event_data": data, "stdout": SAID.sub(r"\1\3", event["stdout"])}


def _result(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
