"""Backing up and restoring with files on a real disk and a database server in memory."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .backup_program import FILES, NOW, Memory, engine, load, problems, storage

work, restoring, settings, cli = load("work"), load("restoring"), load("settings"), load("cli")
Problem = problems.Problem


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Memory:
    made = Memory(shop="rows", blog="posts")
    for module in (work, restoring):
        monkeypatch.setattr(module, "engines", lambda: [made])
    monkeypatch.setattr(engine, "compressor", lambda: (["gzip", "-c"], ".sql.gz"))
    monkeypatch.setattr(work, "compressor", lambda: (["gzip", "-c"], ".sql.gz"))
    return made


@pytest.fixture
def job(tmp_path: Path, server: Memory) -> Any:
    chosen = settings.Settings(directory=str(tmp_path / "backups"), reserve_mb=0)
    return work.Work(chosen, now=lambda: NOW)


def names(job: Any) -> list[str]:
    return sorted(backup.database for backup in job.store.all())


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


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


def test_one_that_is_not_there_is_told(job: Any) -> None:
    job.back_up(["shop", "nothing"])
    assert job.failures == ["There is no database nothing on this device."]
    assert names(job) == ["(accounts)", "shop"]


def test_excluded_ones_and_those_kept_by_a_restore_are_passed_over(job: Any, server: Memory) -> None:
    server.contents |= {"shop_before_20261120_101500": "old", "shop_restoring_20261120_101500": "half", "scratch": ""}
    job.settings = settings.Settings(directory=job.settings.directory, reserve_mb=0, exclude=("scratch",))
    job.back_up([])
    assert names(job) == ["(accounts)", "blog", "shop"]


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


def test_what_a_cut_off_swap_has_put_aside_is_kept_and_told(job: Any, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_a_disk_that_fills_up_is_told_and_what_was_written_is_removed(job: Any, server: Memory) -> None:
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


def test_two_backups_in_one_second_are_two(job: Any) -> None:
    for _ in range(3):
        job.back_up(["shop"])
    assert [b.id for b in sorted(job.store.of("postgresql", "shop"), key=lambda b: b.id)] == [
        "20261121-020003", "20261121-020003-2", "20261121-020003-3",
    ]  # fmt: skip


def test_a_flipped_bit_is_found_told_and_remembered(job: Any) -> None:
    job.back_up(["shop"])
    (backup,) = job.store.of("postgresql", "shop")
    flip_a_bit(job.store.path(backup))
    with pytest.raises(Problem, match=r"20261121-020003 of shop is damaged and cannot be restored: its checksum"):
        restoring.restore(job, "shop")
    assert job.store.of("postgresql", "shop")[0].damaged
    with pytest.raises(Problem, match="Every backup of shop is damaged"):
        restoring.restore(job, "shop")


def test_the_newest_sound_backup_is_restored(job: Any, server: Memory) -> None:
    job.back_up(["shop"])
    server.contents["shop"] = "other rows"
    job.now = lambda: NOW + timedelta(days=1)
    job.back_up(["shop"])
    newest = job.store.of("postgresql", "shop")[0]
    flip_a_bit(job.store.path(newest))
    with pytest.raises(Problem, match="damaged"):
        restoring.restore(job, "shop")
    restored = restoring.restore(job, "shop")
    assert server.contents["shop"] == "rows"
    assert server.contents[restored.kept] == "other rows"


def test_restoring_keeps_what_was_there_under_a_dated_name(job: Any, server: Memory) -> None:
    job.back_up(["shop"])
    server.contents["shop"] = "wrong rows"
    restored = restoring.restore(job, "shop")
    assert server.contents["shop"] == "rows"
    assert restored.kept == "shop_before_20261121_020003"
    assert server.contents[restored.kept] == "wrong rows"


def test_a_restore_that_fails_leaves_everything_as_it_was(job: Any, server: Memory) -> None:
    job.back_up(["shop"])
    server.contents["shop"] = "newer rows"
    server.refused = True
    with pytest.raises(Problem, match="out of memory"):
        restoring.restore(job, "shop")
    assert server.contents == {"shop": "newer rows", "blog": "posts"}


def test_a_half_restored_database_of_a_killed_program_is_removed_by_the_next(job: Any, server: Memory) -> None:
    job.back_up(["shop"])
    server.contents["shop_restoring_20261120_101500"] = "half"
    restoring.restore(job, "shop", into="copy")
    assert sorted(server.contents) == ["blog", "copy", "shop"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"database": "nothing"}, "There is no backup of a database nothing"),
        ({"database": "shop", "at": "20200101-000000"}, "There are: 20261121-020003"),
        ({"database": "shop", "into": "blog"}, "There is already a database blog"),
        ({"database": "(accounts)"}, "There is no backup of a database"),
    ],
)
def test_it_refuses_with_the_way_out(job: Any, given: dict[str, str], words: str) -> None:
    job.back_up([])
    with pytest.raises(Problem, match=words.replace("(", r"\(").replace(")", r"\)")):
        restoring.restore(job, **given)


def test_only_what_a_restore_kept_can_be_dropped(job: Any, server: Memory) -> None:
    server.contents["shop_before_20261120_101500"] = "old"
    with pytest.raises(Problem, match="not kept by a restore"):
        restoring.drop("shop")
    restoring.drop("shop_before_20261120_101500")
    assert sorted(server.contents) == ["blog", "shop"]


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


def test_two_never_work_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "LOCK", tmp_path / "lock")
    with cli.alone(), pytest.raises(problems.Busy, match=f"process {os.getpid()}"), cli.alone():
        pass
    with cli.alone():
        pass


def test_a_name_that_begins_with_a_dash_is_no_option(plugin: Any) -> None:
    module: ModuleType = plugin("common/library/device_backups.py")
    parsed = cli.parser().parse_args(module.command({"state": "made", "databases": ["--version"]}))
    assert parsed.databases == ["--version"]
    given = {"state": "restored", "database": "-x", "at": "", "into": "--json", "engine": "mysql"}
    parsed = cli.parser().parse_args(module.command(given))
    assert (parsed.database, parsed.into, parsed.engine, parsed.at) == ("-x", "--json", "mysql", "")
