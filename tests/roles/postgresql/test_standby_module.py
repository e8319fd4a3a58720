"""The module postgresql_standby: which cluster may follow which, and what becomes of a replaced primary."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest


@pytest.fixture
def standby(plugin: Callable[[str], ModuleType]) -> ModuleType:
    return plugin("modules.postgresql_standby")


def limits(standby: ModuleType, **other: int) -> dict[str, int]:
    return {**dict.fromkeys(standby.LIMITS, 10), **other}


@pytest.mark.parametrize(
    ("own", "theirs", "version", "named"),
    [
        ({}, {}, 150012, None),
        ({"max_connections": 20}, {}, 150012, None),
        ({}, {"max_connections": 20}, 150012, "max_connections 10, not 20"),
        ({}, {}, 170004, "postgresql_version"),
    ],
)
def test_a_standby_that_could_not_start_is_refused_before(
    standby: ModuleType, own: dict, theirs: dict, version: int, named: str | None
) -> None:
    found = standby.mismatch("15", limits(standby, **own), limits(standby, **theirs), version)
    assert found is None if named is None else named in found


def test_a_position_in_the_wal_is_a_number_of_bytes(standby: ModuleType) -> None:
    assert standby.bytes_of("1/10") - standby.bytes_of("0/FFFFFFFF") == 17


class OldPrimary:
    """A cluster that was replaced: what it is asked, and what is done to it."""

    version = "15"

    def __init__(self, folder: Path, *, streams: bool = False) -> None:
        self.folder, self.streams, self.done = folder, streams, []
        (folder / "PG_VERSION").write_text("15\n")

    def data(self) -> Path:
        return self.folder

    def systemctl(self, action: str) -> None:
        self.done.append(action)

    def ask(self, question: str) -> list[str]:
        if "pg_stat_wal_receiver" in question:
            return ["1" if self.streams else "0"]
        return ["0/10"] if "lsn" in question else ["7000"]

    def last_words(self) -> str:
        return "requested starting point is not in this server's history"

    def is_standby(self) -> bool:
        return True


class NewPrimary:
    follow: ClassVar = {"host": "10.0.0.6", "max_connections": 100}

    def __init__(self, system: str = "7000") -> None:
        self.system = system

    def place(self) -> None: ...

    def identify(self) -> tuple[str, int]:
        return self.system, 32


@pytest.fixture
def successor(plugin: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = plugin("modules.postgresql_standby")
    monkeypatch.setattr(module.pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid=os.getuid(), pw_gid=os.getgid()))
    return module


def test_a_replaced_primary_takes_no_writes_from_then_on(successor: ModuleType, tmp_path: Path) -> None:
    cluster = OldPrimary(tmp_path)
    assert successor.fence(cluster, dry=True) is True
    assert not (tmp_path / "standby.signal").exists()
    assert successor.fence(cluster, dry=False) is True
    assert (tmp_path / "standby.signal").exists()
    assert cluster.done == ["try-restart"]
    assert successor.fence(cluster, dry=False) is False


REJOINS = {"patience_seconds": 0, "replace_data": False, "recopy_command": "forgelab server change db1 ..."}


def test_one_that_lacks_nothing_follows_without_a_copy(successor: ModuleType, tmp_path: Path) -> None:
    result = successor.rejoin(OldPrimary(tmp_path, streams=True), NewPrimary(), REJOINS, dry=False)
    assert result == {"changed": False, "state": "standby", "bytes_behind": 16}


def test_one_with_changes_of_its_own_is_not_replaced_unasked(successor: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(successor.Refused, match="forgelab server change db1"):
        successor.rejoin(OldPrimary(tmp_path), NewPrimary(), REJOINS, dry=False)


def test_only_a_copy_of_it_may_replace_its_data(successor: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(successor.Refused, match="is no copy of this PostgreSQL"):
        successor.rejoin(OldPrimary(tmp_path), NewPrimary("8000"), {**REJOINS, "replace_data": True}, dry=False)
