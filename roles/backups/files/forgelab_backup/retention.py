# Managed by ForgeLab: changes made here are lost.
"""Which backups are kept. Pure: dates in, names out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

Bucket = Callable[[datetime], object]
DAY: Bucket = lambda at: at.date()  # noqa: E731
WEEK: Bucket = lambda at: at.isocalendar()[:2]  # noqa: E731
MONTH: Bucket = lambda at: (at.year, at.month)  # noqa: E731
FRESH = timedelta(days=1)


def keep(backups: Mapping[str, datetime], now: datetime, *, daily: int, weekly: int, monthly: int) -> set[str]:
    """The names to keep of `backups` (name to when it was made).

    The newest of each of the last `daily` days that have a backup, likewise for weeks and months: a device that slept
    for a month does not lose what it had. What is younger than a day stays (somebody made it for a reason), and so
    does the newest, however old.
    """
    newest_first = sorted(backups, key=lambda name: (backups[name], name), reverse=True)
    kept = {name for name in newest_first if now - backups[name] < FRESH} | set(newest_first[:1])
    for bucket, count in ((DAY, daily), (WEEK, weekly), (MONTH, monthly)):
        newest: dict[object, str] = {}
        for name in newest_first:
            newest.setdefault(bucket(backups[name]), name)
        kept |= set(list(newest.values())[:count])
    return kept
