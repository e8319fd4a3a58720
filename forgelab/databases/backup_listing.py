"""What devices say about their backups, put into order. Pure: it comes from a device, so nothing of it is believed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST = 200  # characters of any text
LIMIT = 5000  # backups
ACCOUNTS = "(accounts)"  # the server's accounts and their rights, saved beside the databases


@dataclass(frozen=True)
class Backup:
    """One backup of one database. `damaged` is why it cannot be restored; empty for one that is sound."""

    id: str
    engine: str
    version: str
    database: str
    finished_at: datetime
    size_bytes: int
    seconds: float
    damaged: str = ""

    @property
    def verified(self) -> bool:
        return not self.damaged

    @property
    def is_database(self) -> bool:
        return self.database != ACCOUNTS


@dataclass(frozen=True)
class LastBackup:
    """The last time that every database was saved: `finished_at` is when the first of them began."""

    id: str
    finished_at: datetime
    size_bytes: int
    databases: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """All backups, newest first, and what is known of the device's timer (systemd's words)."""

    backups: tuple[Backup, ...] = ()
    complete: LastBackup | None = None
    timer: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """As `read` takes it."""
        return {
            "backups": [
                {**dataclasses.asdict(backup), "finished_at": None, "made_at": backup.finished_at.isoformat()}
                for backup in self.backups
            ],
            "complete": _complete_json(self.complete) if self.complete else None,
            "timer": dict(self.timer or {}),
        }

    def with_made(self, made: Iterable[Backup], complete: LastBackup | None) -> Listing:
        """The listing with backups that a run has just made."""
        known = {_key(backup): backup for backup in (*self.backups, *made)}
        return Listing(_newest_first(known.values()), complete or self.complete, self.timer)


def read(data: Any) -> Listing:
    """The listing in what `forgelab-backup list --json` printed; what is no backup in it is passed over."""
    data = data if isinstance(data, dict) else {}
    timer = data.get("timer")
    return Listing(
        _newest_first(read_backups(data.get("backups"))),
        read_complete(data.get("complete")),
        {_text(k): _text(v) for k, v in list(timer.items())[:10]} if isinstance(timer, dict) else {},
    )


def read_backups(data: Any) -> list[Backup]:
    entries = data[:LIMIT] if isinstance(data, list) else []
    return [backup for entry in entries if isinstance(entry, dict) and (backup := _backup(entry))]


def read_complete(data: Any) -> LastBackup | None:
    data = data if isinstance(data, dict) else {}
    at, databases = _time(data.get("made_at")), data.get("databases")
    if at is None or not data.get("id"):
        return None
    names = tuple(_text(name) for name in databases[:LIMIT]) if isinstance(databases, list) else ()
    return LastBackup(_text(data["id"]), at, int(_number(data.get("size_bytes"))), names)


def _backup(entry: Mapping[str, Any]) -> Backup | None:
    at = _time(entry.get("made_at"))
    if at is None or not entry.get("id") or not entry.get("database"):
        return None
    return Backup(
        id=_text(entry["id"]),
        engine=_text(entry.get("engine")),
        version=_text(entry.get("version")),
        database=_text(entry["database"]),
        finished_at=at,
        size_bytes=int(_number(entry.get("size_bytes"))),
        seconds=_number(entry.get("seconds")),
        damaged=_text(entry.get("damaged")) or ("" if entry.get("verified", True) else "it is damaged"),
    )


def _complete_json(complete: LastBackup) -> dict[str, Any]:
    return {
        "id": complete.id,
        "made_at": complete.finished_at.isoformat(),
        "size_bytes": complete.size_bytes,
        "databases": list(complete.databases),
    }


def _key(backup: Backup) -> tuple[str, str, str]:
    return backup.engine, backup.database, backup.id


def _newest_first(backups: Iterable[Backup]) -> tuple[Backup, ...]:
    return tuple(sorted(backups, key=lambda b: (b.finished_at, b.database, b.engine), reverse=True))


def _text(value: Any) -> str:
    return str(value or "").replace("\x00", "").encode("utf-8", "replace").decode()[:LONGEST]


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e18
    return float(value) if is_number else 0.0


def _time(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else None
