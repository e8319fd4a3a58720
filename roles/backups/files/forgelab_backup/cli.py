# Managed by ForgeLab: changes made here are lost.
"""The command: forgelab-backup now | list | verify | restore | drop."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import VERSION, report, settings
from .problems import ERROR, Busy, Problem, tell
from .restoring import drop, kept_ones, restore
from .work import Work

LOCK = Path("/run/forgelab-backup.lock")
FAILED, BUSY, STOPPED = 1, 75, 143  # 75 is EX_TEMPFAIL of sysexits.h: trying later will do


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="forgelab-backup", description="Backups of this device's databases.")
    top.add_argument("--version", action="version", version=f"forgelab-backup {VERSION}")
    top.add_argument("--config", type=Path, default=settings.PATH, help="the settings (default: %(default)s)")
    top.add_argument("--directory", help="another folder of backups than the configured one, such as a copy on a NAS")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    now = verbs.add_parser("now", help="back up every database, or those named")
    now.add_argument("databases", nargs="*", metavar="DATABASE")
    listing = verbs.add_parser("list", help="list the backups")
    verify = verbs.add_parser("verify", help="read backups again from end to end; all, or those of one database")
    back = verbs.add_parser("restore", help="restore a database; the present one is kept under a dated name")
    back.add_argument("database", metavar="DATABASE")
    back.add_argument("--into", default="", metavar="NEWNAME", help="make a new database instead of replacing")
    for sub in (verify, back):
        sub.add_argument("--at", default="", metavar="ID", help="which backup (default: restore the newest)")
        sub.add_argument("--engine", default="", choices=["postgresql", "mysql"], help="when both have the name")
    verify.add_argument("database", nargs="?", default="", metavar="DATABASE")
    away = verbs.add_parser("drop", help="drop a database that a restore kept; without a name: list them")
    away.add_argument("name", nargs="?", default="", metavar="NAME")
    for sub in (now, listing, back):
        sub.add_argument("--json", action="store_true", help="print JSON")
    return top


def main(arguments: list[str] | None = None) -> int:
    chosen = parser().parse_args(arguments)
    if os.geteuid() != 0:
        tell("forgelab-backup must run as root: sudo forgelab-backup ...", ERROR)
        return FAILED
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _stop)
    os.umask(0o077)
    try:
        configured = settings.read(chosen.config)
        if chosen.directory:
            configured = settings.elsewhere(configured, chosen.directory)
        verbs = {"now": now, "list": listing, "verify": verify, "restore": back, "drop": away}
        return verbs[chosen.verb](Work(configured), chosen)
    except Busy as busy:
        tell(str(busy), ERROR)
        return BUSY
    except (Problem, OSError) as problem:
        tell(str(problem), ERROR)
        return FAILED


def _stop(number: int, frame: object) -> None:
    raise SystemExit(STOPPED)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Held by the one program that writes or restores. Raises Busy. The system lets it go when the program ends."""
    with LOCK.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise Busy(f"Another backup or restore is at work (process {handle.read().strip()}). Try later.") from None
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield


def now(work: Work, chosen: argparse.Namespace) -> int:
    with alone():
        made = work.back_up(chosen.databases)
    if chosen.json:
        saved = report.complete(work.store.complete())
        _print({"made": [report.entry(backup) for backup in made], "failures": work.failures, "complete": saved})
    if work.failures:
        tell(f"{len(work.failures)} of the backups failed; the earlier ones are untouched.", ERROR)
    return FAILED if work.failures else 0


def listing(work: Work, chosen: argparse.Namespace) -> int:
    backups = work.store.all()
    if chosen.json:
        saved = report.complete(work.store.complete())
        listed = [report.entry(backup) for backup in backups]
        _print({"backups": listed, "complete": saved, "timer": report.timer()})
    else:
        print(
            report.table(backups)
            if backups
            else f"There is no backup in {work.store.root} yet. Make one: forgelab-backup now"
        )
    return 0


def verify(work: Work, chosen: argparse.Namespace) -> int:
    bad = 0
    with alone():
        for backup in work.store.all():
            wanted = chosen.database in ("", backup.database) and chosen.at in ("", backup.id)
            if not wanted or chosen.engine not in ("", backup.engine):
                continue
            try:
                work.verify(backup)
                tell(f"{backup.database} {backup.id}: sound.")
            except Problem as problem:
                bad += 1
                tell(str(problem), ERROR)
    return FAILED if bad else 0


def back(work: Work, chosen: argparse.Namespace) -> int:
    with alone():
        done = restore(work, chosen.database, at=chosen.at, into=chosen.into, engine=chosen.engine)
    tell(f"{done.database} is restored from the backup {done.backup} in {done.seconds:.1f} s.")
    if done.kept:
        tell(f"What was there before is now the database {done.kept}. Once it is not needed any more:")
        tell(f"  forgelab-backup drop {done.kept}")
    if chosen.json:
        _print({"database": done.database, "backup": done.backup, "kept": done.kept, "seconds": done.seconds})
    return 0


def away(work: Work, chosen: argparse.Namespace) -> int:
    if not chosen.name:
        for engine, name in kept_ones():
            print(f"{name}  ({engine.title})")
        return 0
    with alone():
        drop(chosen.name)
    tell(f"{chosen.name} is dropped.")
    return 0


def _print(data: dict[str, Any]) -> None:
    print(json.dumps(data, indent=1))
