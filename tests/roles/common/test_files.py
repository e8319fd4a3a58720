"""Writing files, folders and links on a device: all of a role's or none, and nothing of anybody else's."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.roles.helpers import load_plugin

OWNER = pwd.getpwuid(os.geteuid()).pw_name
GROUP = grp.getgrgid(os.getegid()).gr_name


@pytest.fixture
def files() -> ModuleType:
    return load_plugin("module_utils.files")


def write(transaction: Any, path: Path, content: bytes, mode: str = "0644", **options: Any) -> None:
    transaction.file(path, content, OWNER, GROUP, mode, **{"force": True, "secret": False, **options})


def tree(root: Path) -> dict[str, Any]:
    """Everything below `root` with mode and content, to compare before and after."""
    return {
        str(path.relative_to(root)): (
            oct(path.lstat().st_mode),
            path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(root.rglob("*"))
    }


def test_it_writes_a_file_with_its_mode_and_leaves_nothing_beside_it(files: ModuleType, tmp_path: Path) -> None:
    transaction = files.Transaction()
    write(transaction, tmp_path / "a.conf", b"Managed by ForgeLab\n", "0640")
    assert tree(tmp_path) == {"a.conf": (oct(stat.S_IFREG | 0o640), b"Managed by ForgeLab\n")}
    assert transaction.changed == [str(tmp_path / "a.conf")]


def test_a_second_time_changes_nothing(files: ModuleType, tmp_path: Path) -> None:
    for expected in (2, 0):
        transaction = files.Transaction()
        write(transaction, tmp_path / "a", b"x")
        transaction.link(tmp_path / "b", "a", force=True)
        assert len(transaction.changed) == expected


def test_a_wrong_mode_is_repaired(files: ModuleType, tmp_path: Path) -> None:
    write(files.Transaction(), tmp_path / "a", b"x")
    (tmp_path / "a").chmod(0o666)
    transaction = files.Transaction()
    write(transaction, tmp_path / "a", b"x")
    assert transaction.changed
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


def test_rolling_back_restores_everything_as_it_was(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "changed").write_bytes(b"old")
    (tmp_path / "changed").chmod(0o600)
    (tmp_path / "gone").write_bytes(b"still needed")
    (tmp_path / "link").symlink_to("changed")
    (tmp_path / "folder").mkdir(mode=0o700)
    before = tree(tmp_path)
    transaction = files.Transaction()
    transaction.directory(tmp_path / "folder", OWNER, GROUP, "0755")
    transaction.directory(tmp_path / "new/deep", OWNER, GROUP, "0755")
    write(transaction, tmp_path / "changed", b"new")
    write(transaction, tmp_path / "new/deep/file", b"new")
    transaction.link(tmp_path / "link", "new", force=True)
    transaction.link(tmp_path / "fresh", "new", force=True)
    transaction.absent(tmp_path / "gone")
    assert len(transaction.changed) == 7
    assert tree(tmp_path) != before
    transaction.roll_back()
    assert tree(tmp_path) == before


def test_checking_changes_nothing_but_says_what_would(files: ModuleType, tmp_path: Path) -> None:
    transaction = files.Transaction(dry=True)
    transaction.directory(tmp_path / "x/y", "nobody-there", GROUP, "0755")
    transaction.file(tmp_path / "x/y/z", b"1", "nobody-there", GROUP, "0644", force=True, secret=False)
    transaction.link(tmp_path / "l", "x", force=True)
    assert len(transaction.changed) == 3
    assert tree(tmp_path) == {}


def test_a_secret_stays_out_of_the_diff(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"old-secret")
    transaction = files.Transaction()
    write(transaction, tmp_path / "s", b"new-secret", secret=True)
    assert "-secret" not in str(transaction.diffs)
    assert (tmp_path / "s").read_bytes() == b"new-secret"


def test_a_hand_made_change_shows_in_the_diff(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"by hand\n")
    transaction = files.Transaction(dry=True)
    write(transaction, tmp_path / "a", b"ours\n")
    assert transaction.diffs[0]["before"] == "by hand\n"
    assert transaction.diffs[0]["after"] == "ours\n"


def test_the_original_file_is_kept_once(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"from the package")
    write(files.Transaction(), tmp_path / "a", b"Managed by ForgeLab 1")
    write(files.Transaction(), tmp_path / "a", b"Managed by ForgeLab 2")
    assert (tmp_path / "a.before-forgelab").read_bytes() == b"from the package"


def test_without_force_an_existing_file_is_left_alone(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    transaction = files.Transaction()
    write(transaction, tmp_path / "a", b"x", force=False)
    transaction.link(tmp_path / "a", "b", force=False)
    assert transaction.changed == []
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_a_link_at_the_destination_is_replaced_not_followed(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"keep")
    (tmp_path / "a").symlink_to("elsewhere")
    write(files.Transaction(), tmp_path / "a", b"ours")
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "elsewhere").read_bytes() == b"keep"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to another user")
def test_it_refuses_to_write_through_another_users_link(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "planted").symlink_to("real")
    os.chown(tmp_path / "planted", 33, 33, follow_symlinks=False)
    with pytest.raises(files.Refused, match="symbolic link"):
        write(files.Transaction(), tmp_path / "planted/a", b"x")
    assert tree(tmp_path / "real") == {}


def test_it_refuses_a_folder_where_a_file_should_be(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(files.Refused, match="is a folder"):
        write(files.Transaction(), tmp_path / "a", b"x")
    with pytest.raises(files.Refused, match="not removed"):
        files.Transaction().absent(tmp_path / "a")


def test_it_names_a_user_who_is_not_there(files: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(files.Refused, match="no user 'nobody-there'"):
        files.Transaction().file(tmp_path / "a", b"x", "nobody-there", GROUP, "0644", force=True, secret=False)
    assert tree(tmp_path) == {}


def test_what_a_killed_run_left_beside_a_file_is_cleared(files: ModuleType, tmp_path: Path) -> None:
    (tmp_path / ".a.forgelab-killed").write_bytes(b"half")
    write(files.Transaction(), tmp_path / "a", b"x")
    assert set(tree(tmp_path)) == {"a"}
