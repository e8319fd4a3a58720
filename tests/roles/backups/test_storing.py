"""Backups on a real disk: after a kill, when it fills up, when old ones go, and copies on another one."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.roles.backups.program import FILES, NOW, Memory, load, names, storage

settings = load("settings")


def test_a_program_that_was_killed_leaves_nothing_that_is_listed(job: Any) -> None:
    job.back_up(["shop"])
    folder = job.store.folder("postgresql", "shop")
    (folder / "20261122-020003.sql.gz.partial").write_bytes(b"half")  # killed while it wrote
    (folder / "20261123-020003.sql.gz").write_bytes(b"whole, but not yet with its manifest")
    assert [backup.id for backup in job.store.of("postgresql", "shop")] == ["20261121-020003"]
    job.now = lambda: NOW + timedelta(days=3)
    job.back_up(["shop"])
    assert sorted(path.name for path in folder.iterdir()) == [
        "20261121-020003.json", "20261121-020003.sql.gz", "20261124-020003.json", "20261124-020003.sql.gz",
    ]  # fmt: skip


def test_a_backup_whose_file_is_gone_is_none(job: Any) -> None:
    job.back_up([])
    job.store.path(job.store.of("postgresql", "shop")[0]).unlink()
    assert names(job) == ["(accounts)", "blog"]
    assert job.store.complete() == []


def test_what_a_cut_off_swap_has_put_aside_is_kept_and_reported(job: Any, capsys: pytest.CaptureFixture[str]) -> None:
    aside = job.store.make_folder("mysql", "shop") / "swap-shop.sql"
    aside.write_text("CREATE TRIGGER ...")
    job.back_up(["shop"])
    assert aside.exists()
    assert f"are in {aside}: load that file" in capsys.readouterr().err


def test_a_kill_in_the_middle_of_writing_is_survived(tmp_path: Path) -> None:
    """A real process, really killed, in the middle of a real file."""
    script = (
        f"import sys, time; sys.path.insert(0, {str(FILES)!r})\n"
        "from forgelab_backup.storage import Store\n"
        f"store = Store({str(tmp_path)!r})\n"
        "folder = store.make_folder('postgresql', 'shop')\n"
        "def pieces():\n    yield b'x' * 100000\n    print('now', flush=True)\n    time.sleep(60)\n"
        "store.write(folder / '20261121-020003.dump', pieces())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"now\n"
    process.kill()
    process.wait()
    process.stdout.close()
    store = storage.Store(tmp_path)
    assert [path.name for path in tmp_path.rglob("*.partial")] == ["20261121-020003.dump.partial"]
    assert store.all() == []
    store.clean()
    assert list(tmp_path.rglob("*.partial")) == []


def test_a_disk_that_fills_up_is_reported_and_what_was_written_is_removed(job: Any, server: Memory) -> None:
    job.back_up(["shop"])
    before = sorted(job.store.root.rglob("*"))

    def dump(database: str) -> Iterator[bytes]:
        yield b"x"
        raise OSError(errno.ENOSPC, "No space left on device")

    server.dump = dump  # type: ignore[method-assign]
    job.now = lambda: NOW + timedelta(days=1)
    job.back_up(["shop"])
    assert "is full" in job.failures[0] and "earlier backups are untouched" in job.failures[0]
    assert [path for path in sorted(job.store.root.rglob("*/shop/*"))] == [p for p in before if p.parent.name == "shop"]


def test_it_refuses_when_the_next_backup_would_not_fit(job: Any) -> None:
    job.back_up(["shop"])
    (backup,) = job.store.of("postgresql", "shop")
    huge = 10**18
    job.store.save(storage.Backup(**{**vars(backup), "size_bytes": huge}))
    job.back_up(["shop"])
    assert "1500000.0 TB may be needed" in job.failures[0]
    assert len(job.store.of("postgresql", "shop")) == 1


def test_the_reserve_is_never_written_into(job: Any) -> None:
    job.store.reserve = 10**18
    job.back_up([])
    assert len(job.failures) == 3 and "always stay free" in job.failures[0]
    assert job.store.all() == []


def test_old_backups_go_once_a_newer_one_is_verified(job: Any, server: Memory) -> None:
    for day in range(12):
        job.now = lambda day=day: NOW + timedelta(days=day)
        job.back_up(["shop"])
    ids = {backup.id[:8] for backup in job.store.of("postgresql", "shop")}
    assert ids == {f"202611{day}" for day in (22, 26, 27, 28, 29, 30)} | {"20261201", "20261202"}
    server.broken = {"shop"}
    job.now = lambda: NOW + timedelta(days=400)
    job.back_up(["shop"])
    assert {backup.id[:8] for backup in job.store.of("postgresql", "shop")} == ids


def test_a_copy_on_the_same_disk_is_refused_but_the_backup_stands(job: Any, tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    job.settings = settings.Settings(directory=job.settings.directory, copy_to=str(tmp_path / "nas"), reserve_mb=0)
    job.back_up(["shop"])
    assert "NOT copied" in job.failures[0] and "is it not mounted?" in job.failures[0]
    assert len(job.store.of("postgresql", "shop")) == 1


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_a_copy_is_a_store_of_its_own(job: Any, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("one file system only")
    other = Path("/dev/shm") / f"forgelab-backup-test-{os.getpid()}"
    other.mkdir(mode=0o700)
    request.addfinalizer(lambda: subprocess.run(["rm", "-r", str(other)], check=True))
    job.settings = settings.Settings(directory=job.settings.directory, copy_to=str(other), reserve_mb=0)
    job.back_up(["shop"])
    assert job.failures == []
    copied = storage.Store(other)
    assert [b.database for b in copied.all()] == ["(accounts)", "shop"]
    assert storage.checksum(copied.path(copied.all()[1])) == copied.all()[1].sha256
