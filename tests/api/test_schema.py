from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from pytest_django import Settings
from rest_framework.test import APIClient


def test_the_schema_is_valid_and_without_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert "openapi: 3" in capsys.readouterr().out


@pytest.mark.django_db
def test_the_request_to_provision_describes_each_server_types_options(api: APIClient) -> None:
    answer = api.get("/api/v1/schema")
    schemas = yaml.safe_load(answer.content)["components"]["schemas"]
    config = schemas["ProvisionSmallServer"]["properties"]["config"]["$ref"].rpartition("/")[2]
    assert set(schemas[config]["properties"]) >= {"php_version", "database_engine", "include_redis"}


def test_the_committed_schema_is_the_generated_one(settings: Settings, tmp_path: Path) -> None:
    settings.RECIPES_DIR, settings.ROLES_DIR = tmp_path / "none", settings.BASE_DIR / "roles"
    generated = tmp_path / "openapi.yml"
    call_command("spectacular", "--file", str(generated))
    committed = settings.BASE_DIR / "docs/openapi.yml"
    assert generated.read_text() == committed.read_text(), "Look at the difference; when it is meant: make docs"
