# Managed by ForgeLab: changes made here are lost.
"""Backups as files. A backup is its data file and, written last, its manifest: without that there is no backup."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .problems import WARNING, Problem, size, tell

PARTIAL = ".partial"
LOOK_EVERY = 8 << 20  # bytes written between two looks at the free space
COMPLETE = "complete.json"
SWAP = "swap-"  # begins the name of what a MySQL restore keeps while tables move
ACCOUNTS = "(accounts)"  # shown in place of a database's name


@dataclass(frozen=True)
class Backup:
    """The manifest of one backup; `details` is what its engine needs to restore it, `damaged` why it cannot be."""

    id: str
    engine: str
    version: str
    database: str
    file: str
    size_bytes: int
    sha256: str
    database_bytes: int
    made_at: str
    seconds: float
    damaged: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def made(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


class Store:
    """The folder of all backups: ENGINE/databases/DATABASE/ID.dump beside ID.json, and ENGINE/accounts/."""

    def __init__(self, directory: str | Path, reserve_mb: int = 0) -> None:
        self.root = Path(directory)
        self.reserve = reserve_mb << 20

    def folder(self, engine: str, database: str) -> Path:
        if database == ACCOUNTS:
            return self.root / engine / "accounts"
        return self.root / engine / "databases" / quote(database, safe="")

    def path(self, backup: Backup) -> Path:
        return self.folder(backup.engine, backup.database) / backup.file

    def all(self) -> list[Backup]:
        """Every backup, by database, newest first."""
        found = [_read(path) for path in self.root.glob("*/*/**/*.json")]
        kept = [backup for backup in found if backup and self.path(backup).exists()]
        kept.sort(key=lambda backup: backup.made, reverse=True)
        return sorted(kept, key=lambda backup: (backup.engine, backup.database))

    def of(self, engine: str, database: str) -> list[Backup]:
        """The backups of one database, newest first."""
        return [backup for backup in self.all() if (backup.engine, backup.database) == (engine, database)]

    def clean(self) -> None:
        """Remove what a killed program left. The caller holds the lock, so nobody is writing."""
        for path in filter(Path.is_file, self.root.glob("*/**/*")):
            if path.name.startswith(SWAP):
                tell(
                    f"A restore was cut off while tables moved. The triggers, views and routines that it had put aside "
                    f"are in {path}: load that file into the database that lacks them, then remove it.",
                    WARNING,
                )
                continue
            manifest = path.with_name(path.name.split(".")[0] + ".json")
            if path.name.endswith(PARTIAL) or (path.suffix != ".json" and not manifest.exists()):
                path.unlink()

    def make_folder(self, engine: str, database: str) -> Path:
        """The folder of a database's backups, for root only. Raises Problem."""
        folder = self.folder(engine, database)
        try:
            for path in reversed([folder, *folder.parents]):
                if not path.exists():
                    path.mkdir(mode=0o700)
        except OSError as error:
            raise Problem(f"{error.filename} cannot be made: {error.strerror}. Nothing was written.") from None
        return folder

    def check_space(self, needed: int) -> None:
        """Raises Problem when `needed` bytes would not fit beside the reserve."""
        free = shutil.disk_usage(self.root).free
        if free < needed + self.reserve:
            raise Problem(
                f"{self.root} has {size(free)} free, but {size(needed)} may be needed and {size(self.reserve)} always "
                "stay free. Nothing was written, the earlier backups are untouched. Free some space, keep fewer "
                "backups, or give them a larger disk."
            )

    def write(self, path: Path, pieces: Iterable[bytes]) -> tuple[int, str]:
        """Write the pieces to `path` with the mark of an unfinished file, synced; its size and SHA-256.

        Raises Problem when the disk would become too full; the unfinished file is gone then.
        """
        partial = path.with_name(path.name + PARTIAL)
        written, looked, digest = 0, 0, hashlib.sha256()
        try:
            with _private(partial) as handle:
                for piece in pieces:
                    handle.write(piece)
                    digest.update(piece)
                    written += len(piece)
                    if written - looked >= LOOK_EVERY:
                        looked = written
                        self.check_space(0)
                _sync(handle)
        except BaseException as error:
            partial.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Problem(
                    f"{self.root} is full: {size(written)} were written, then no more fitted. What was written is "
                    "removed, the earlier backups are untouched. Free some space, or give backups a larger disk."
                ) from None
            raise
        return written, digest.hexdigest()

    def finish(self, path: Path, backup: Backup) -> None:
        """The verified file gets its name, then its manifest: from now on it is a backup."""
        path.with_name(path.name + PARTIAL).rename(path)
        self.save(backup)

    def save(self, backup: Backup) -> None:
        """Write the manifest, whole or not at all."""
        path = self.path(backup).with_name(f"{backup.id}.json")
        partial = path.with_name(path.name + PARTIAL)
        partial.unlink(missing_ok=True)
        with _private(partial) as handle:
            handle.write(json.dumps(dataclasses.asdict(backup), indent=1).encode())
            _sync(handle)
        partial.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def note_complete(self, made: list[Backup]) -> None:
        """Note that with these backups every database was saved: the answer to "since when is all of it safe?"."""
        path = self.root / COMPLETE
        partial = path.with_name(COMPLETE + PARTIAL)
        partial.unlink(missing_ok=True)
        with _private(partial) as handle:
            handle.write(json.dumps([[backup.engine, backup.database, backup.id] for backup in made]).encode())
            _sync(handle)
        partial.rename(path)

    def complete(self) -> list[Backup]:
        """The backups of the last time that every database was saved; empty when one of them is damaged or gone."""
        try:
            noted = {tuple(entry) for entry in json.loads((self.root / COMPLETE).read_text())}
        except (OSError, ValueError, TypeError):
            return []
        found = [b for b in self.all() if not b.damaged and (b.engine, b.database, b.id) in noted]
        return found if len(found) == len(noted) else []

    def remove(self, backup: Backup) -> None:
        """The manifest first: what is left when this is cut off is no backup any more."""
        path = self.path(backup)
        path.with_name(f"{backup.id}.json").unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def checksum(path: Path) -> str:
    """The SHA-256 of what is on the disk, read again rather than from memory where the system lets us."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while piece := handle.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.") from None
    return digest.hexdigest()


def pieces(path: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with path.open("rb") as handle:
        while piece := handle.read(1 << 20):
            yield piece


def _read(path: Path) -> Backup | None:
    """A manifest; None for a file that is not one."""
    try:
        values = json.loads(path.read_text())
        known = {field.name for field in dataclasses.fields(Backup)}
        backup = Backup(**{name: value for name, value in values.items() if name in known})
        return backup if backup.made.tzinfo else None
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sync(handle: Any) -> None:
    handle.flush()
    os.fsync(handle.fileno())
