"""Recipes of one's own in the web pages: there at once; what is wrong is shown where server types are chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from forgelab.accounts.models import User
from tests import factories
from tests.recipes.helpers import STATIC_SITE
from tests.web.pages import text


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.RECIPES_DIR = tmp_path / "recipes"
    (settings.RECIPES_DIR / "static-site").mkdir(parents=True)
    (settings.RECIPES_DIR / "static-site/manifest.yaml").write_text(STATIC_SITE)
    return settings.RECIPES_DIR


def test_it_is_offered_and_asked_for_without_a_restart(web: Client, folder: Path) -> None:
    assert "Static Site Files only" in text(web.get("/provision/"))
    assert "Largest <b>upload</b>" in text(web.get("/provision/static-site/"))
    (folder / "static-site/manifest.yaml").write_text(STATIC_SITE.replace("Files only", "Only files"))
    assert "Static Site Only files" in text(web.get("/provision/"))


def test_owners_see_where_to_drop_one(web: Client, folder: Path) -> None:
    User.objects.update(is_superuser=False)
    assert str(folder) not in text(web.get("/provision/"))
    User.objects.update(is_superuser=True)
    assert f"in {folder} appear here at once" in text(web.get("/provision/"))


def test_its_documentation_is_there_too(web: Client, folder: Path) -> None:
    response = web.get("/provision/static-site/about/")
    page = text(response)
    assert "Static Site" in page
    assert "largest_upload Largest <b>upload</b> number 8 1 to 64 In MB; 8 is plenty." in page
    assert "<code>8</code> is plenty" in response.content.decode()
    assert "80 nginx Nginx" in page


def test_a_wrong_one_is_reported_with_file_and_key_and_the_others_still_work(web: Client, folder: Path) -> None:
    (folder / "static-site/manifest.yaml").write_text(STATIC_SITE.replace("tagline:", "tag_line:"))
    page = text(web.get("/provision/"))
    assert "The recipe static-site/manifest.yaml cannot be used:" in page
    assert 'line 3: tag_line: is not a known key; did you mean "tagline"?' in page
    assert "Laravel App Server" in page
    assert web.get("/provision/static-site/").status_code == 404
    assert web.get("/provision/static-site/about/").status_code == 404
    assert web.get(f"/provision/{factories.TYPE}/").status_code == 200


def test_the_documentation_of_a_built_in_type_can_be_read(web: Client) -> None:
    assert "Requirements" in text(web.get(f"/provision/{factories.TYPE}/about/"))
