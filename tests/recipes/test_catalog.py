from __future__ import annotations

import os
from pathlib import Path

import pytest

from forgelab.recipes.catalog import Catalog, catalog
from tests.recipes.helpers import drop

from .helpers import MANIFEST, write_roles


@pytest.fixture
def roles_dir(tmp_path: Path) -> Path:
    return write_roles(tmp_path / "roles")


def test_a_wrong_recipe_does_not_take_the_others_down(tmp_path: Path, roles_dir: Path) -> None:
    drop(tmp_path / "mine", "good")
    bad = drop(tmp_path / "mine", "bad", "id: bad\nname: [")
    loaded = Catalog.load([tmp_path / "mine"], roles_dir)
    assert list(loaded.recipes) == ["good"]
    assert list(loaded.problems) == [bad]
    assert "is not valid YAML" in str(loaded.problems[bad][0])


def test_the_first_folder_keeps_an_id(tmp_path: Path, roles_dir: Path) -> None:
    first, second = drop(tmp_path / "a", "shop"), drop(tmp_path / "b", "shop")
    loaded = Catalog.load([tmp_path / "a", tmp_path / "b"], roles_dir)
    assert loaded.recipes["shop"].source == str(first)
    assert "is taken by" in loaded.problems[second][0].message


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path, roles_dir: Path) -> None:
    assert Catalog.load([tmp_path / "nowhere"], roles_dir).recipes == {}


def test_a_role_that_cannot_be_read_is_a_problem_of_the_recipes_that_use_it(tmp_path: Path, roles_dir: Path) -> None:
    (roles_dir / "redis/meta/argument_specs.yml").write_text("a: [")
    path = drop(tmp_path / "mine", "shop")
    [problem] = Catalog.load([tmp_path / "mine"], roles_dir).problems[path]
    assert problem.path == "components[3].name"
    assert "the role redis cannot be read" in problem.message


def test_an_unknown_recipe_is_refused_with_those_there_are(tmp_path: Path, roles_dir: Path) -> None:
    drop(tmp_path / "mine", "shop")
    with pytest.raises(KeyError, match='no recipe "shp"; there are shop'):
        Catalog.load([tmp_path / "mine"], roles_dir).get("shp")


def test_of_a_recipe_that_cannot_be_used_it_is_reported_why(tmp_path: Path, roles_dir: Path) -> None:
    drop(tmp_path / "mine", "shop", MANIFEST.replace("tagline:", "tag_line:"))
    with pytest.raises(KeyError, match=r'"shop" cannot be used; shop/manifest\.yaml: line 5: tag_line: is not a known'):
        Catalog.load([tmp_path / "mine"], roles_dir).get("shop")


def test_the_catalogue_is_read_again_only_when_a_file_has_changed(tmp_path: Path, roles_dir: Path) -> None:
    path = drop(tmp_path / "mine", "shop")
    first = catalog([tmp_path / "mine"], roles_dir=roles_dir)
    assert catalog([tmp_path / "mine"], roles_dir=roles_dir) is first

    os.utime(path, (1, 1))
    second = catalog([tmp_path / "mine"], roles_dir=roles_dir)
    assert second is not first

    drop(tmp_path / "mine", "other")
    assert "other" in catalog([tmp_path / "mine"], roles_dir=roles_dir).recipes
