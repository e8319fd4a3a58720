"""From the events of a playbook to the result of the run. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

RUNNER_GAVE_UP = 75  # the runner's exit status when its worker fell silent (EX_TEMPFAIL of sysexits.h)


@dataclass(frozen=True)
class RunResult:
    """How a run ended: a `Run.Status`, a sentence for the user, and whether nothing is left running on the device."""

    status: str
    detail: str = ""
    device_clean: bool = True


def joined(known: Any, more: Any) -> dict[str, list[str]]:
    """Two records of what is managed (names by kind) as one; what is no list of names is passed over."""
    records = [record for record in (known, more) if isinstance(record, dict)]
    return {
        kind: list(dict.fromkeys(name for record in records for name in _names(record.get(kind))))
        for kind in dict.fromkeys(str(kind) for record in records for kind in record)
    }


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


@dataclass
class RunSummary:
    """What the events of a run said, collected as they come."""

    stats: dict[str, Any] | None = None
    learned: dict[str, Any] = field(default_factory=dict)
    failure: str = ""

    def take(self, event: dict[str, Any]) -> None:
        """Roles return what they learned in their result's `forgelab` key, and what is theirs in `managed`."""
        result = event["result"] or {}
        if event["kind"] == "playbook_on_stats":
            self.stats = result
        learned = result.get("forgelab")
        if isinstance(learned, dict):
            self.learned |= learned
        managed = result.get("managed")
        if isinstance(managed, dict) and event.get("role"):
            known = self.learned.setdefault("managed", {})
            known[event["role"]] = joined(known.get(event["role"]), managed)

    def result(self, host: str) -> RunResult:
        """The result, by the play recap and never by the exit code (it is 4 for two different things)."""
        if self.stats is None:
            reason = self.failure or "ansible-playbook ended without a play recap; the log shows its last words"
            return RunResult("failed", reason, device_clean=False)
        if self.stats["dark"].get(host):
            return RunResult("failed", self.failure or f"{host} could not be reached.", device_clean=False)
        if self.stats["failures"].get(host):
            return RunResult("failed", self.failure or "A task failed; the log shows which.")
        if not self.stats["ok"].get(host):
            return RunResult("failed", f"No task ran on {host}: the playbook matched no host.")
        return RunResult("succeeded")
