"""Backing up: every database and the accounts, each whole or not at all, and what is passed over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.roles.backups.program import NOW, Memory, flip_a_bit, load, names, problems, storage

settings = load("settings")
Problem = problems.Problem


def test_every_database_and_the_accounts_are_saved_for_root_only(job: Any) -> None:
    job.back_up([])
    assert names(job) == ["(accounts)", "blog", "shop"]
    files = [path for path in Path(job.settings.directory).rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in job.store.root.rglob("*") if path.is_dir()} == {0o700}


def test_a_backup_knows_what_it_is(job: Any) -> None:
    job.back_up(["shop"])
    (backup,) = job.store.of("postgresql", "shop")
    data = job.store.path(backup).read_bytes()
    assert (backup.id, backup.version, backup.size_bytes) == ("20261121-020003", "PostgreSQL 15.4", len(data))
    assert storage.checksum(job.store.path(backup)) == backup.sha256


def test_a_database_that_fails_keeps_its_earlier_backup_and_does_not_stop_the_others(job: Any, server: Memory) -> None:
    job.back_up([])
    before = {path: path.read_bytes() for path in job.store.root.rglob("*/shop/*")}
    server.broken = {"shop"}
    job.now = lambda: NOW + timedelta(days=1)
    job.back_up([])
    assert "shop is NOT backed up: pg_dump failed" in job.failures[0]
    assert {path: path.read_bytes() for path in job.store.root.rglob("*/shop/*")} == before
    assert len(job.store.of("postgresql", "blog")) == 2


def test_it_is_complete_only_when_nothing_failed(job: Any, server: Memory) -> None:
    job.back_up([])
    assert {backup.id for backup in job.store.complete()} == {"20261121-020003"}
    server.broken = {"shop"}
    job.now = lambda: NOW + timedelta(days=1)
    job.back_up([])
    assert {backup.id for backup in job.store.complete()} == {"20261121-020003"}
    flip_a_bit(job.store.path(job.store.of("postgresql", "shop")[0]))
    with pytest.raises(Problem):
        job.verify(job.store.of("postgresql", "shop")[0])
    assert job.store.complete() == []


def test_one_that_is_not_there_is_reported(job: Any) -> None:
    job.back_up(["shop", "nothing"])
    assert job.failures == ["There is no database nothing on this device."]
    assert names(job) == ["(accounts)", "shop"]


def test_excluded_ones_and_those_kept_by_a_restore_are_passed_over(job: Any, server: Memory) -> None:
    server.contents |= {"shop_before_20261120_101500": "old", "shop_restoring_20261120_101500": "half", "scratch": ""}
    job.settings = settings.Settings(directory=job.settings.directory, reserve_mb=0, exclude=("scratch",))
    job.back_up([])
    assert names(job) == ["(accounts)", "blog", "shop"]


def test_two_backups_in_one_second_are_two(job: Any) -> None:
    for _ in range(3):
        job.back_up(["shop"])
    assert [b.id for b in sorted(job.store.of("postgresql", "shop"), key=lambda b: b.id)] == [
        "20261121-020003", "20261121-020003-2", "20261121-020003-3",
    ]  # fmt: skip
