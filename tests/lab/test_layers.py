from __future__ import annotations

import os
from pathlib import Path

import pytest

from forgelab.lab.layers import OPAQUE, Layers, is_whiteout


@pytest.fixture
def disk(tmp_path: Path) -> Layers:
    """Three layers; each has a file of its own, and all have another `etc/same`."""
    folders = [tmp_path / name for name in ("top", "middle", "bottom")]
    for folder in folders:
        (folder / "etc").mkdir(parents=True)
        (folder / "etc" / folder.name).write_text(f"{folder.name}\n")
        (folder / "etc/same").write_text(f"{folder.name}\n")
    return Layers(folders)


def whiteout(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mknod(path, 0o020000, os.makedev(0, 0))


def test_the_topmost_file_is_found_and_others_through_the_layers_above(disk: Layers) -> None:
    assert disk.read("etc/same") == "top\n"
    assert disk.read("etc/bottom") == "bottom\n"
    assert disk.find("etc/none") is None
    assert disk.read("etc/none") == ""
    assert disk.list("etc") == ["etc/bottom", "etc/middle", "etc/same", "etc/top"]


def test_what_was_removed_on_a_layer_is_gone_from_those_below(disk: Layers) -> None:
    whiteout(disk.folders[0] / "etc/same")
    whiteout(disk.folders[1] / "etc/bottom")
    assert disk.find("etc/same") is None
    assert disk.list("etc") == ["etc/middle", "etc/top"]


def test_a_removed_folder_hides_what_was_in_it(disk: Layers) -> None:
    (disk.folders[2] / "etc/ssh").mkdir()
    (disk.folders[2] / "etc/ssh/key").write_text("key")
    assert disk.read("etc/ssh/key") == "key"
    whiteout(disk.folders[1] / "etc/ssh")
    assert disk.find("etc/ssh/key") is None


def test_a_folder_made_again_after_one_was_removed_shows_only_what_is_in_it(disk: Layers) -> None:
    os.setxattr(disk.folders[1] / "etc", OPAQUE, b"y")
    assert disk.find("etc/bottom") is None
    assert disk.list("etc") == ["etc/middle", "etc/same", "etc/top"]


def test_a_link_is_not_followed_to_this_machine(disk: Layers) -> None:
    (disk.folders[0] / "etc/link").symlink_to("/etc/passwd")
    assert disk.find("etc/link") == disk.folders[0] / "etc/link"
    assert disk.read("etc/link") == ""


def test_a_file_is_written_on_the_topmost_layer_in_folders_like_those_below(disk: Layers) -> None:
    (disk.folders[1] / "root/.ssh").mkdir(parents=True)
    (disk.folders[1] / "root").chmod(0o700)
    disk.write("root/.ssh/authorized_keys", "key\n", 0o600)
    assert disk.read("root/.ssh/authorized_keys") == "key\n"
    assert (disk.folders[0] / "root").stat().st_mode & 0o777 == 0o700
    assert (disk.folders[0] / "root/.ssh/authorized_keys").stat().st_mode & 0o777 == 0o600


def test_a_hidden_file_is_gone_and_may_be_written_again(disk: Layers) -> None:
    disk.hide("etc/bottom")
    disk.hide("etc/top")
    assert disk.list("etc") == ["etc/middle", "etc/same"]
    assert is_whiteout(disk.folders[0] / "etc/bottom")
    assert not os.path.lexists(disk.folders[0] / "etc/top")
    disk.write("etc/bottom", "new\n")
    assert disk.read("etc/bottom") == "new\n"


def test_mount_gets_the_layers_below_whatever_their_names(tmp_path: Path) -> None:
    disk = Layers([tmp_path / "top", Path("/a:b"), Path("/c\\d")])
    assert disk.below() == r"/a\:b:/c\\d"
