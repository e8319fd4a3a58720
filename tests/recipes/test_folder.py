"""A folder of recipes as somebody may have left it: the good ones stay usable, of the others a sentence says why."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from forgelab.lib.yamlfile import MAX_BYTES
from forgelab.recipes.catalog import BUILT_IN, Catalog, catalog
from tests.recipes.helpers import drop

from .helpers import MANIFEST, write_roles


@pytest.fixture
def roles_dir(tmp_path: Path) -> Path:
    return write_roles(tmp_path / "roles")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with one good recipe."""
    drop(tmp_path / "mine", "good")
    return tmp_path / "mine"


def told(mine: Path, roles_dir: Path) -> dict[str, str]:
    """What is wrong, as `file: sentence`; the good recipe must be there in any case."""
    loaded = Catalog.load([mine], roles_dir)
    assert "good" in loaded.recipes
    return {report.file: "; ".join(map(str, report.problems)) for report in loaded.reports()}


def test_a_link_out_of_the_folder_is_refused(mine: Path, roles_dir: Path, tmp_path: Path) -> None:
    drop(tmp_path / "elsewhere", "shop")
    (mine / "shop").symlink_to(tmp_path / "elsewhere/shop")
    (mine / "blog").mkdir()
    (mine / "blog/manifest.yaml").symlink_to(tmp_path / "elsewhere/shop/manifest.yaml")
    assert "is a link out of the folder of recipes" in told(mine, roles_dir)["shop"]
    assert "is a link out of its folder, to" in told(mine, roles_dir)["blog/manifest.yaml"]


def test_a_folder_that_is_itself_a_link_is_the_users_choice(mine: Path, roles_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(mine)
    assert told(tmp_path / "link", roles_dir) == {}


@pytest.mark.parametrize(
    ("recipe_id", "said"),
    [("../shop", "must be up to 60 lowercase"), ("a/b", "must be up to 60 lowercase"), ("a--b", "single hyphens")],
)
def test_an_id_is_a_plain_name(mine: Path, roles_dir: Path, recipe_id: str, said: str) -> None:
    drop(mine, "shop").write_text(MANIFEST.replace("id: small-server", f"id: {recipe_id}"))
    assert said in told(mine, roles_dir)["shop/manifest.yaml"]


def test_what_lies_in_the_wrong_place_is_reported_where_to_go(mine: Path, roles_dir: Path) -> None:
    drop(mine / "group", "shop")
    (mine / "empty").mkdir()
    (mine / "other").mkdir()
    (mine / "other/manifest.yml").write_text("")
    (mine / "loose.yaml").write_text("")
    (mine / "README.md").write_text("notes of my own")
    (mine / ".git").mkdir()
    assert told(mine, roles_dir) == {
        "empty": "has no manifest.yaml",
        "group": 'holds the recipe "shop" one level too deep; an id has no slash, so move that folder up',
        "loose.yaml": "must lie in a folder named like its id: loose/manifest.yaml",
        "other": "has a manifest.yml; name it manifest.yaml",
    }


def test_a_huge_file_is_not_read(mine: Path, roles_dir: Path) -> None:
    with drop(mine, "shop").open("wb") as file:
        file.truncate(10 * 2**30)
    assert told(mine, roles_dir)["shop/manifest.yaml"] == f"is {10 * 2**30} bytes; {MAX_BYTES} are allowed"


def test_a_bomb_of_aliases_is_refused(mine: Path, roles_dir: Path) -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9) if n else 'ha'}]" for n in range(12))
    drop(mine, "shop").write_text(f"id: shop\n{levels}\n")
    assert "line 3: anchors and aliases (& and *) are not accepted" in told(mine, roles_dir)["shop/manifest.yaml"]


def test_a_pipe_does_not_stop_everything(mine: Path, roles_dir: Path) -> None:
    path = drop(mine, "shop")
    path.unlink()
    os.mkfifo(path)
    assert told(mine, roles_dir)["shop/manifest.yaml"] == "is not a plain file"


def test_links_in_a_circle_are_refused(mine: Path, roles_dir: Path) -> None:
    path = drop(mine, "shop")
    path.unlink()
    path.symlink_to(path)
    assert "cannot be read" in told(mine, roles_dir)["shop/manifest.yaml"]


def test_a_name_that_is_no_text_can_be_reported(mine: Path, roles_dir: Path) -> None:
    drop(mine, "shop").parent.rename(mine / os.fsdecode(b"sh\xff\x1bp"))
    [(file, said)] = told(mine, roles_dir).items()
    assert (file + said).encode()
    assert file == r"sh\udcff\x1bp/manifest.yaml"
    assert r'must be the name of its folder, "sh\udcff\x1bp"' in said


def test_a_built_in_recipe_is_never_shadowed(mine: Path, roles_dir: Path) -> None:
    drop(mine, "laravel-app-server", (BUILT_IN / "laravel-app-server/manifest.yaml").read_text())
    loaded = catalog([mine], roles_dir=BUILT_IN.parents[2] / "roles")
    assert Path(loaded.recipes["laravel-app-server"].source).is_relative_to(BUILT_IN)
    [problem] = loaded.problems[mine / "laravel-app-server/manifest.yaml"]
    assert problem.path == "id"
    assert "is taken by a recipe that ForgeLab brings" in problem.message


def test_a_folder_that_is_none_is_reported(tmp_path: Path, roles_dir: Path) -> None:
    (tmp_path / "file").write_text("")
    [report] = Catalog.load([tmp_path / "file"], roles_dir).reports()
    assert report.path == tmp_path / "file"
    assert "cannot be read" in str(report.problems[0])


def test_every_change_is_seen(mine: Path, roles_dir: Path) -> None:
    def now() -> Catalog:
        return catalog([mine], roles_dir=roles_dir)

    first = now()
    assert now() is first
    path = drop(mine, "bad", "id: [")
    assert [report.file for report in now().reports() if report.path == path] == ["bad/manifest.yaml"]
    status = path.stat()
    path.write_text("id: {")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as `cp -p` would: same size, same time
    assert now() is not first
    (mine / "empty").mkdir()
    assert any(report.file == "empty" for report in now().reports())
    (mine / "bad/manifest.yaml").unlink()
    (mine / "bad").rmdir()
    assert not any(report.file.startswith("bad") for report in now().reports())


def test_what_is_wrong_is_logged_once(mine: Path, roles_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    drop(mine, "bad", MANIFEST.replace("tagline:", "tag_line:"))
    with caplog.at_level(logging.WARNING, "forgelab.recipes"):
        catalog([mine], roles_dir=roles_dir)
        drop(mine, "other")
        catalog([mine], roles_dir=roles_dir)
    [told] = [record.getMessage() for record in caplog.records if " bad/" in record.getMessage()]
    assert 'bad/manifest.yaml cannot be used: line 5: tag_line: is not a known key; did you mean "tagline"?' in told
