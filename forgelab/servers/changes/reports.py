"""What plans and drift checks found: one read model for web, API and command line alike."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.utils.timesince import timesince

from forgelab.runs.changes import count, summary
from forgelab.runs.models import Run
from forgelab.runs.selectors import run_changes
from forgelab.servers import extensions
from forgelab.servers.changes.dry_run import changed_options, why_not_applicable
from forgelab.servers.models import Server


def plan_result(*, run: Run) -> dict[str, Any]:
    """What a plan found, as JSON can hold it.

    `steps` with their `changes` (`kind`, `what`, `diff`), `handlers` that would follow, and `more` where the rest can
    only be known once packages are installed and services run; `options` that differ from the server's; whether the
    plan can be applied, and if not `why_not`; `takes_database` when applying it needs the typed name.
    """
    steps = run_changes(run=run)
    config, base = run.request.get("config") or {}, run.request.get("base") or {}
    why_not = why_not_applicable(run, run.subject)
    return {
        "summary": summary(steps),
        "count": count(steps),
        "steps": [dataclasses.asdict(step) for step in steps],
        "options": {name: {"from": base[name], "to": value} for name, value in changed_options(base, config).items()},
        "applicable": not why_not,
        "why_not": why_not,
        "takes_database": bool(extensions.data_lost(config, run.request.get("gone") or [])),
    }


def drift_sentence(server: Server) -> str:
    """What the last drift check found; empty when none was made since it was provisioned."""
    if server.drift_count is None or server.drift_checked_at is None:
        return ""
    checked = f"checked {timesince(server.drift_checked_at)} ago".replace("\xa0", " ")
    if not server.drift_count:
        return f"As planned, {checked}."
    number = f"{server.drift_count} difference{'s' * (server.drift_count != 1)}"
    since = f" for {timesince(server.drift_since)}".replace("\xa0", " ") if server.drift_since else ""
    return f"{number} from its plan{since}, {checked}. Reprovision it to repair them."
