"""`forgelab recipes`: what there is, what it offers, what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from forgelab.cli.main import main
from tests.recipes.helpers import STATIC_SITE


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.RECIPES_DIR, settings.ROLES_DIR = tmp_path / "own/recipes", settings.BASE_DIR / "roles"
    (settings.RECIPES_DIR / "static-site").mkdir(parents=True)
    (settings.RECIPES_DIR / "static-site/manifest.yaml").write_text(STATIC_SITE)
    return settings.RECIPES_DIR


@pytest.fixture
def wrong(folder: Path) -> Path:
    (folder / "shop").mkdir()
    (folder / "shop/manifest.yaml").write_text(STATIC_SITE.replace("id: static-site", "id: shop\nwrong: 1"))
    return folder / "shop"


def test_all_are_listed_and_a_wrong_one_is_mentioned(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "list"]) == 0
    shown = capsys.readouterr().out
    assert "laravel-app-server" in shown
    assert "static-site/manifest.yaml" in shown
    assert "1 recipe cannot be used. What is wrong: forgelab recipes check" in shown


def test_its_documentation_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "show", "static-site"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# Static Site\n")
    assert "| `largest_upload` | Largest <b>upload</b> | number | `8` | 1 to 64 |" in shown
    assert main(["recipes", "show", "nonsense"]) == 1


def test_a_wrong_one_is_reported_with_file_and_key(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "check"]) == 1
    shown = capsys.readouterr().out
    assert "shop/manifest.yaml:\n  line 2: wrong: is not a known key" in shown
    assert "1 recipe cannot be used." in shown


def test_good_ones_are_said_to_be_good(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "check"]) == 0
    assert capsys.readouterr().out == "static-site: can be used.\n"


def test_one_can_be_checked_before_it_is_dropped(
    wrong: Path, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.RECIPES_DIR = tmp_path / "nothing-here"
    assert main(["recipes", "check", str(wrong)]) == 1
    assert main(["recipes", "check", str(wrong.parent / "static-site")]) == 0
    assert capsys.readouterr().out.endswith("static-site: can be used.\n")
    assert main(["recipes", "check", str(tmp_path / "nowhere")]) == 1
    assert "is no folder" in capsys.readouterr().err
