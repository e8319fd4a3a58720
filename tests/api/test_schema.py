from __future__ import annotations

import pytest
import yaml
from django.core.management import call_command
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
