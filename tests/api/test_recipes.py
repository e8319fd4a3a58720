"""Recipes of one's own in the API."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.recipes.helpers import STATIC_SITE

TYPES = "/api/v1/infrastructure/server-types"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.RECIPES_DIR, settings.ROLES_DIR = tmp_path / "own/recipes", settings.BASE_DIR / "roles"
    for name in ("static-site", "shop"):
        (settings.RECIPES_DIR / name).mkdir(parents=True)
    (settings.RECIPES_DIR / "static-site/manifest.yaml").write_text(STATIC_SITE)
    (settings.RECIPES_DIR / "shop/manifest.yaml").write_text(STATIC_SITE.replace("largest_upload", "_", 1))
    return settings.RECIPES_DIR


def test_it_is_a_server_type_and_a_wrong_one_is_reported_beside_it(api: APIClient, folder: Path) -> None:
    listed = api.get(TYPES).json()
    assert {"static-site", "laravel-app-server"} <= {row["id"] for row in listed["results"]}
    [report] = listed["problems"]
    assert report["file"] == "shop/manifest.yaml"
    keys = {problem["key"]: problem for problem in report["problems"]}
    assert keys["config_options[0].name"]["line"] == 9
    assert api.get(f"{TYPES}/static-site").json()["options"]["properties"]["largest_upload"]["maximum"] == 64
    assert api.get(f"{TYPES}/shop").status_code == 404


def test_the_schema_describes_it_as_it_is_now(api: APIClient, folder: Path) -> None:
    def largest() -> int:
        schemas = api.get("/api/v1/schema?format=json").json()["components"]["schemas"]
        return schemas["StaticSiteConfig"]["properties"]["largest_upload"]["maximum"]

    assert largest() == 64
    (folder / "static-site/manifest.yaml").write_text(STATIC_SITE.replace("max: 64", "max: 65"))
    assert largest() == 65
