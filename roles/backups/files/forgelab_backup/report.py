# Managed by ForgeLab: changes made here are lost.
"""Backups as people and programs read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import programs
from .problems import Problem, size
from .storage import Backup

SERVICE, TIMER = "forgelab-backup.service", "forgelab-backup.timer"


def entry(backup: Backup) -> dict[str, Any]:
    """A backup for ForgeLab."""
    return {
        "id": backup.id,
        "engine": backup.engine,
        "version": backup.version,
        "database": backup.database,
        "made_at": backup.made_at,
        "size_bytes": backup.size_bytes,
        "seconds": backup.seconds,
        "sha256": backup.sha256,
        "verified": not backup.damaged,
        "damaged": backup.damaged,
    }


def complete(backups: Sequence[Backup]) -> dict[str, Any] | None:
    """The last time that every database was saved, for ForgeLab; None when there was none."""
    if not backups:
        return None
    first = min(backups, key=lambda backup: backup.made)
    databases = sorted(backup.database for backup in backups)
    size_bytes = sum(backup.size_bytes for backup in backups)
    return {"id": first.id, "made_at": first.made_at, "size_bytes": size_bytes, "databases": databases}


def table(backups: Sequence[Backup]) -> str:
    """One line a backup."""
    rows = [("DATABASE", "ID", "MADE", "SIZE", "TOOK", "ENGINE", "STATE")]
    rows += [
        (
            backup.database, backup.id, f"{backup.made:%Y-%m-%d %H:%M}", size(backup.size_bytes),
            f"{backup.seconds:.1f} s", backup.version, "DAMAGED" if backup.damaged else "verified",
        )
        for backup in backups
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def timer() -> dict[str, str]:
    """How the timer's last backup went, and when the next one is due, as systemd reports them."""
    try:
        last = _properties(SERVICE, "Result", "ExecMainStartTimestamp", "ActiveState")
        due = _properties(TIMER, "NextElapseUSecRealtime", "ActiveState")
    except Problem:
        return {}
    ran = last.get("ExecMainStartTimestamp", "")
    return {
        "last": ran,
        "result": last.get("Result", "") if ran else "",
        "next": due.get("NextElapseUSecRealtime", ""),
        "active": due.get("ActiveState", ""),
    }


def _properties(unit: str, *names: str) -> dict[str, str]:
    shown = programs.run(["systemctl", "show", f"--property={','.join(names)}", unit])
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
