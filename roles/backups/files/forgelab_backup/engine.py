# Managed by ForgeLab: changes made here are lost.
"""What every database engine must be able to do, and what they share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import programs
from .problems import Problem

STAMP = "%Y%m%d_%H%M%S"
OLD = re.compile(r"_before_\d{8}_\d{6}\Z")  # kept when a restored database took its place
SCRATCH = re.compile(r"_restoring_\d{8}_\d{6}\Z")  # half restored


@dataclass(frozen=True)
class Database:
    """A database on the server; `bytes` is what it takes there."""

    name: str
    bytes: int


class Engine:
    """One database server of this device."""

    name = ""
    title = ""
    suffix = ""
    longest_name = 63

    @classmethod
    def is_installed(cls) -> bool:
        raise NotImplementedError

    def version(self) -> str:
        """Of the server. Raises Problem when it does not answer."""
        raise NotImplementedError

    def databases(self) -> list[Database]:
        """All databases worth a backup, also those kept or half made by a restore."""
        raise NotImplementedError

    def dump(self, database: str) -> Iterator[bytes]:
        raise NotImplementedError

    def details(self, database: str) -> dict[str, Any]:
        """What the dump does not say: how the database itself is made."""
        raise NotImplementedError

    def check(self, path: Path) -> dict[str, Any]:
        """Read a whole dump. Raises Problem when it is not complete; what it holds otherwise."""
        raise NotImplementedError

    def accounts(self) -> Iterator[bytes]:
        raise NotImplementedError

    def restore_accounts(self, path: Path, needed: list[str]) -> None:
        """Make those of the `needed` accounts that are missing, from a dump of accounts."""
        raise NotImplementedError

    def refuse(self, target: str) -> None:
        """Raises Problem when nothing can be restored under this name."""
        raise NotImplementedError

    def data_directory(self) -> str:
        raise NotImplementedError

    def load(self, path: Path, scratch: str, details: dict[str, Any]) -> None:
        """Make the database `scratch` from the dump, complete and checked. Raises Problem."""
        raise NotImplementedError

    def take_place(self, scratch: str, target: str, kept: str, details: dict[str, Any], workplace: Path) -> None:
        """`target` becomes `kept`, `scratch` becomes `target`; as it was when it cannot be."""
        raise NotImplementedError

    def rename(self, scratch: str, target: str, details: dict[str, Any], workplace: Path) -> None:
        """`scratch` becomes `target`, which does not exist."""
        raise NotImplementedError

    def drop(self, database: str) -> None:
        raise NotImplementedError

    def derived(self, name: str, mark: str) -> str:
        """`shop` with a mark such as `_before_20261121_020003`, within the engine's longest name."""
        return name.encode()[: self.longest_name - len(mark)].decode(errors="ignore") + mark


def compressor() -> tuple[list[str], str]:
    """The program that compresses texts, and the ending of its files."""
    if program := programs.found("zstd"):
        return [program, "-q", "-3", "-c"], ".sql.zst"
    return ["gzip", "-6", "-c"], ".sql.gz"


def decompressor(path: Path) -> list[str]:
    if path.name.endswith((".gz", ".gz.partial")):
        return ["gzip", "-dc"]
    if program := programs.found("zstd"):
        return [program, "-dcq"]
    raise Problem(f"{path.name} needs the program zstd, which is missing here: apt install zstd")


def text(path: Path) -> Iterator[bytes]:
    """The lines of a compressed text. Raises Problem when it is damaged."""
    rest = b""
    with path.open("rb") as handle:
        for piece in programs.stream(decompressor(path), stdin=handle):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
    if rest:
        yield rest
