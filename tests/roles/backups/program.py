"""The backup program as Python, with a database server that lives in a dictionary."""

from __future__ import annotations

import gzip
import importlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.roles.helpers import ROLES

FILES = ROLES / "backups" / "files"
NOW = datetime(2026, 11, 21, 2, 0, 3, tzinfo=UTC)


def load(name: str) -> ModuleType:
    """A module of the program: load("retention")."""
    if str(FILES) not in sys.path:
        sys.path.insert(0, str(FILES))
    return importlib.import_module(f"forgelab_backup.{name}")


engine, problems, storage = load("engine"), load("problems"), load("storage")


class Memory(engine.Engine):
    """Databases by name, each a text. `broken` ones cannot be dumped, `refused` ones cannot be loaded."""

    name, title, suffix = "postgresql", "PostgreSQL", ".sql.gz"

    def __init__(self, **databases: str) -> None:
        self.contents = databases
        self.broken: set[str] = set()
        self.refused = False

    def version(self) -> str:
        return "15.4"

    def databases(self) -> list[Any]:
        return [engine.Database(name, len(text)) for name, text in self.contents.items()]

    def dump(self, database: str) -> Iterator[bytes]:
        packed = gzip.compress(self.contents[database].encode())
        yield packed[:5]
        if database in self.broken:
            raise problems.Problem("pg_dump failed (status 1): no memory")
        yield packed[5:]

    def details(self, database: str) -> dict[str, Any]:
        return {"roles": []}

    def check(self, path: Path) -> dict[str, Any]:
        list(engine.text(path))
        return {"tables": 1}

    def accounts(self) -> Iterator[bytes]:
        yield gzip.compress(b"CREATE ROLE shop;\n-- PostgreSQL database cluster dump complete\n")

    def restore_accounts(self, path: Path, needed: list[str]) -> None:
        pass

    def refuse(self, target: str) -> None:
        pass

    def data_directory(self) -> str:
        return "/"

    def load(self, path: Path, scratch: str, details: dict[str, Any]) -> None:
        self.contents[scratch] = "half"
        if self.refused:
            raise problems.Problem("pg_restore failed (status 1): out of memory")
        self.contents[scratch] = gzip.decompress(path.read_bytes()).decode()

    def take_place(self, scratch: str, target: str, kept: str, details: dict[str, Any], workplace: Path) -> None:
        self.contents[kept] = self.contents.pop(target)
        self.contents[target] = self.contents.pop(scratch)

    def rename(self, scratch: str, target: str, details: dict[str, Any], workplace: Path) -> None:
        self.contents[target] = self.contents.pop(scratch)

    def drop(self, database: str) -> None:
        self.contents.pop(database, None)


def names(job: Any) -> list[str]:
    return sorted(backup.database for backup in job.store.all())


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
