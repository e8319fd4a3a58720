# Managed by ForgeLab: changes made here are lost.
"""What the program does: back up, verify, prune, copy."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from .engine import OLD, SCRATCH, Database, Engine, compressor, text
from .mysql import MySQL
from .postgresql import PostgreSQL
from .problems import ERROR, Problem, size, tell
from .retention import keep
from .settings import Settings
from .storage import ACCOUNTS, PARTIAL, Backup, Store, checksum, pieces

MARGIN = 1.5  # how much larger than the last one a backup may become
FIRST = 0.5  # of the database's own size: text compresses well


def engines() -> list[Engine]:
    """The database servers installed on this device. Raises Problem when there is none."""
    found: list[Engine] = [engine() for engine in (PostgreSQL, MySQL) if engine.is_installed()]
    if not found:
        raise Problem("There is no database server on this device: neither PostgreSQL nor MariaDB nor MySQL.")
    return found


class Work:
    """One run of the program over all databases; `failures` are sentences."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = lambda: datetime.now().astimezone()) -> None:
        self.settings = settings
        self.store = Store(settings.directory, settings.reserve_mb)
        self.now = now
        self.failures: list[str] = []

    def back_up(self, wanted: list[str]) -> list[Backup]:
        """Back up the databases `wanted`, or all; one that fails does not keep the others from theirs."""
        self.store.clean()
        made: list[Backup] = []
        missing = set(wanted)
        for engine in engines():
            try:
                chosen = [d for d in engine.databases() if self._is_wanted(engine, d, wanted)]
                missing -= {database.name for database in chosen}
                jobs = [Database(ACCOUNTS, 0), *chosen] if chosen or not wanted else []
                made += [backup for job in jobs if (backup := self._one(engine, job))]
            except Problem as problem:
                self._failed(str(problem))
        for name in sorted(missing):
            self._failed(f"There is no database {name} on this device.")
        if not wanted and not self.failures:
            self.store.note_complete(made)
        return made

    def _is_wanted(self, engine: Engine, database: Database, wanted: list[str]) -> bool:
        if wanted:
            return database.name in wanted
        # What a restore kept was backed up before under its own name.
        of_a_restore = OLD.search(database.name) or SCRATCH.search(database.name)
        return not of_a_restore and database.name not in self.settings.exclude

    def _failed(self, sentence: str) -> None:
        self.failures.append(sentence)
        tell(sentence, ERROR)

    def _one(self, engine: Engine, database: Database) -> Backup | None:
        try:
            backup = self._make(engine, database)
        except (Problem, OSError) as problem:
            self._failed(f"{database.name} is NOT backed up: {problem}")
            return None
        took = f"{size(backup.size_bytes)} in {backup.seconds:.1f} s"
        tell(f"{database.name} is backed up as {backup.id}: {took}, verified.")
        self._prune(self.store, engine.name, database.name)
        if self.settings.copy_to:
            self._copy(backup)
        return backup

    def _make(self, engine: Engine, database: Database) -> Backup:
        is_accounts = database.name == ACCOUNTS
        version = engine.version()
        folder = self.store.make_folder(engine.name, database.name)
        self.store.check_space(self._expected(engine, database))
        made, began = self.now(), time.monotonic()
        identity = self._free_id(folder, made)
        path = folder / f"{identity}{engine.suffix if not is_accounts else compressor()[1]}"
        details = {} if is_accounts else engine.details(database.name)
        output = engine.accounts() if is_accounts else engine.dump(database.name)
        written, digest = self.store.write(path, output)
        partial = path.with_name(path.name + PARTIAL)
        try:
            details |= self._verified(engine, partial, digest, is_accounts)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        backup = Backup(
            id=identity, engine=engine.name, version=f"{engine.title} {version}", database=database.name,
            file=path.name, size_bytes=written, sha256=digest, database_bytes=database.bytes,
            made_at=made.isoformat(timespec="seconds"), seconds=round(time.monotonic() - began, 2), details=details,
        )  # fmt: skip
        self.store.finish(path, backup)
        return backup

    def _expected(self, engine: Engine, database: Database) -> int:
        earlier = self.store.of(engine.name, database.name)
        return int(earlier[0].size_bytes * MARGIN if earlier else database.bytes * FIRST)

    def _free_id(self, folder: Path, made: datetime) -> str:
        identity = made.strftime("%Y%m%d-%H%M%S")
        while any(folder.glob(f"{identity}.*")):
            date, clock = identity.split("-", 1)
            clock, _, number = clock.partition("-")
            identity = f"{date}-{clock}-{int(number or 1) + 1}"
        return identity

    def _verified(self, engine: Engine, path: Path, digest: str, is_accounts: bool) -> dict[str, Any]:
        if checksum(path) != digest:
            raise Problem("what is on the disk is not what was written: the disk or the memory is failing.")
        if not is_accounts:
            return engine.check(path)
        if not any(b"dump complete" in line.lower() for line in deque(text(path), maxlen=10)):
            raise Problem("the list of accounts is not complete.")
        return {}

    def verify(self, backup: Backup) -> None:
        """Raises Problem for a backup that is damaged, and remembers that it is."""
        path = self.store.path(backup)
        try:
            if checksum(path) != backup.sha256:
                raise Problem("its checksum is not the one it was written with")
            if backup.database != ACCOUNTS:
                engine = next((engine for engine in engines() if engine.name == backup.engine), None)
                if engine:
                    engine.check(path)
        except Problem as problem:
            if not backup.damaged:
                self.store.save(dataclasses.replace(backup, damaged=str(problem)))
            raise Problem(
                f"The backup {backup.id} of {backup.database} is damaged and cannot be restored: {problem}. "
                f"Choose another one: forgelab-backup list"
            ) from None

    def _prune(self, store: Store, engine: str, database: str) -> None:
        """Only what was verified counts; what is damaged goes once a newer one is there."""
        backups = store.of(engine, database)
        good = {backup.id: backup.made for backup in backups if not backup.damaged}
        settings = self.settings
        kept = keep(
            good, self.now(), daily=settings.keep_daily, weekly=settings.keep_weekly, monthly=settings.keep_monthly
        )
        for backup in backups:
            if backup.id not in kept and kept:
                store.remove(backup)
                tell(f"{backup.database}: the backup {backup.id} has served its time and is removed.")

    def _copy(self, backup: Backup) -> None:
        """Into the second folder, verified there. A failure is reported; the backup itself stands."""
        try:
            target = Store(self.settings.copy_to, 0)
            if not target.root.is_dir():
                raise Problem(f"{target.root} is not there")
            if target.root.stat().st_dev == self.store.root.stat().st_dev:
                raise Problem(f"{target.root} is on the same disk as the backups; is it not mounted?")
            target.clean()
            folder = target.make_folder(backup.engine, backup.database)
            path = folder / backup.file
            _, digest = target.write(path, pieces(self.store.path(backup)))
            if digest != backup.sha256 or checksum(path.with_name(path.name + PARTIAL)) != backup.sha256:
                path.with_name(path.name + PARTIAL).unlink(missing_ok=True)
                raise Problem("what arrived is not what was sent")
            target.finish(path, backup)
            self._prune(target, backup.engine, backup.database)
        except (Problem, OSError) as problem:
            self._failed(f"{backup.database} is backed up, but NOT copied to {self.settings.copy_to}: {problem}.")
