# Managed by ForgeLab: changes made here are lost.
"""Restoring: beside what is there, checked, and only then in its place. What was there is kept under a dated name."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass

from .engine import OLD, SCRATCH, STAMP, Engine
from .problems import Problem, size, tell
from .storage import ACCOUNTS, Backup
from .work import Work, engines

GROWTH = 1.1  # a restored database may take somewhat more than the one backed up


@dataclass(frozen=True)
class Restored:
    """`kept` is the name under which the database is that was there before; empty when there was none."""

    database: str
    backup: str
    kept: str
    seconds: float


def choose(backups: Iterable[Backup], database: str, at: str, engine: str) -> Backup:
    """The backup that was asked for, or the newest sound one. Raises Problem."""
    found = [b for b in backups if b.database == database and database != ACCOUNTS and engine in ("", b.engine)]
    if len({backup.engine for backup in found}) > 1:
        raise Problem(f"Both PostgreSQL and MySQL have backups of {database}. Say which: --engine postgresql or mysql")
    if not found:
        raise Problem(f"There is no backup of a database {database}. All there are: forgelab-backup list")
    if at:
        chosen = next((backup for backup in found if backup.id == at), None)
        if chosen is None:
            raise Problem(f"There is no backup {at} of {database}. There are: {', '.join(b.id for b in found)}")
        return chosen
    sound = [backup for backup in found if not backup.damaged]
    if not sound:
        raise Problem(f"Every backup of {database} is damaged: {', '.join(backup.id for backup in found)}.")
    return sound[0]


def restore(work: Work, database: str, *, at: str = "", into: str = "", engine: str = "") -> Restored:
    """Restore a database, in its place or `into` a new name. Raises Problem; then everything is as it was."""
    began = work.now()
    backup = choose(work.store.all(), database, at, engine)
    server = next((each for each in engines() if each.name == backup.engine), None)
    if server is None:
        raise Problem(f"{database} is of {backup.version}, which is not installed on this device.")
    target = into or database
    server.version()
    server.refuse(target)
    names = {each.name for each in server.databases()}
    if into and into in names:
        raise Problem(f"There is already a database {into}. Choose another name, or leave --into away to replace.")
    _remove_leftovers(server, names)
    tell(f"Checking the backup {backup.id} of {database} ({size(backup.size_bytes)}) ...")
    work.verify(backup)
    _check_space(server, backup)
    _make_accounts(work, server, backup)
    mark = began.strftime(STAMP)
    scratch = server.derived(target, f"_restoring_{mark}")
    kept = server.derived(target, f"_before_{mark}") if target in names else ""
    workplace = work.store.make_folder(backup.engine, backup.database)
    tell(f"Restoring it beside what is there, as {scratch} ...")
    try:
        server.load(work.store.path(backup), scratch, backup.details)
        if kept:
            tell(f"It is complete. {target} becomes {kept}, the restored one takes its place ...")
            server.take_place(scratch, target, kept, backup.details, workplace)
        else:
            server.rename(scratch, target, backup.details, workplace)
    except BaseException:
        server.drop(scratch)
        raise
    return Restored(target, backup.id, kept, round((work.now() - began).total_seconds(), 2))


def _remove_leftovers(server: Engine, names: set[str]) -> None:
    """Half restored databases of a program that was killed. The caller holds the lock, so nobody is at them."""
    for name in names:
        if SCRATCH.search(name):
            server.drop(name)
            tell(f"{name}, left half restored by an earlier attempt, is removed.")


def _check_space(server: Engine, backup: Backup) -> None:
    where = server.data_directory()
    free, needed = shutil.disk_usage(where).free, int(backup.database_bytes * GROWTH)
    if free < needed:
        raise Problem(
            f"{where} has {size(free)} free, but the restored database needs about {size(needed)} beside the present "
            "one. Nothing was changed. Free some space, or drop what earlier restores kept: forgelab-backup drop"
        )


def _make_accounts(work: Work, server: Engine, backup: Backup) -> None:
    """On a new device the roles that own things are missing: they come from the accounts saved closest in time."""
    saved = [each for each in work.store.of(backup.engine, ACCOUNTS) if not each.damaged]
    closest = min(saved, key=lambda each: abs(each.made - backup.made), default=None)
    if closest:
        work.verify(closest)
        server.restore_accounts(work.store.path(closest), backup.details.get("roles", []))


def kept_ones() -> list[tuple[Engine, str]]:
    """The databases that restores have kept."""
    found = []
    for engine in engines():
        engine.version()  # tells MariaDB from MySQL
        found += [(engine, each.name) for each in engine.databases() if OLD.search(each.name)]
    return found


def drop(name: str) -> None:
    """Drop a database that a restore has kept; no other. Raises Problem."""
    if not OLD.search(name):
        raise Problem(f"{name} was not kept by a restore; only those can be dropped here: forgelab-backup drop")
    for engine, each in kept_ones():
        if each == name:
            return engine.drop(name)
    raise Problem(f"There is no database {name}. Kept ones: forgelab-backup drop")
