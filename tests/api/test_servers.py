from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from forgelab.accounts.models import User
from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.servers.models import Component, Server
from tests import factories

PROVISION = "/api/v1/infrastructure/provision"
SERVERS = "/api/v1/infrastructure/servers"

pytestmark = pytest.mark.django_db


@pytest.fixture
def big() -> Device:
    factories.device("small", memory_total_mb=3000, memory_available_mb=3000, disk_free_mb=30_000)
    return factories.device("big", memory_total_mb=16384, memory_available_mb=16384)


def body(**changes: Any) -> dict[str, Any]:
    return {"server_type": factories.SMALL, "name": "laravel-production", "config": {"php_version": "8.2"}, **changes}


def test_it_queues_a_run_on_the_best_device(api: APIClient, big: Device, user: User) -> None:
    answer = api.post(PROVISION, body(), format="json")

    assert answer.status_code == 202, answer.json()
    run = Run.objects.get()
    assert answer.json()["run"]["id"] == str(run.pk)
    assert answer.json()["run"]["status"] == "queued"
    assert (run.device, run.requested_by) == (big, user)
    assert Server.objects.get().config["php_version"] == "8.2"


def test_it_provisions_on_the_device_that_was_asked_for(api: APIClient, big: Device) -> None:
    small = Device.objects.get(name="small")
    answer = api.post(PROVISION, body(device_id=str(small.pk)), format="json")
    assert answer.json()["run"]["device"] == {"id": str(small.pk), "name": "small", "address": small.address}


def test_its_urls_lead_to_the_run_its_steps_its_events_and_the_server(api: APIClient, big: Device) -> None:
    answer = api.post(PROVISION, body(), format="json")
    urls = answer.json()["urls"]
    assert answer.headers["Location"] == urls["run"]
    assert {name: api.get(urls[name]).status_code for name in ("run", "steps", "events", "server")} == {
        "run": 200, "steps": 200, "events": 200, "server": 200,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"config": {"php_version": "7.4"}}, "config.php_version", '"7.4" is not one of 8.1, 8.2, 8.3'),
        ({"config": {"php_versoin": "8.2"}}, "config.php_versoin", 'did you mean "php_version"?'),
        ({"config": {"include_redis": "yes"}}, "config.include_redis", "must be true or false"),
        ({"config": {"domain": "a.b; touch pwned"}}, "config.domain", "does not match"),
        ({"config": ["php"]}, "config", "dictionary"),
        ({"name": "{{ 7*7 }}"}, "name", "lowercase letters"),
        ({"name": "a\nb"}, "name", "lowercase letters"),
        ({"name": None}, "name", "may not be null"),
        ({"server_type": "mail-server"}, "server_type", 'there is no recipe "mail-server"'),
        ({"device_id": "best"}, "device_id", "UUID"),
        ({"device_id": str(uuid4())}, "device_id", "There is no device"),
        ({"server": "x"}, "server", "known are server_type, name, device_id, environment, config"),
    ],
)
def test_wrong_input_is_reported_by_field_and_stores_nothing(
    api: APIClient, big: Device, changes: dict[str, Any], field: str, words: str
) -> None:
    answer = api.post(PROVISION, body(**changes), format="json")

    assert answer.status_code == 400
    assert words in answer.json()[field][0]
    assert list(answer.json()) == [field]
    assert not Server.objects.exists() and not Run.objects.exists()


def test_all_wrong_fields_are_reported_at_once(api: APIClient, big: Device) -> None:
    answer = api.post(PROVISION, body(name="A B", config={"php_version": "7.4", "x": 1}), format="json")
    assert set(answer.json()) == {"name", "config.php_version", "config.x"}


def test_it_says_that_there_is_no_device(api: APIClient) -> None:
    answer = api.post(PROVISION, body(), format="json")
    assert answer.status_code == 400
    assert "forgelab device add" in answer.json()["device_id"][0]


@pytest.fixture
def server(big: Device) -> Server:
    made = Server.objects.create(
        name="web", server_type=factories.SMALL, device=big, status="active",
        config={
            "php_version": "8.2", "database_engine": "postgresql", "include_redis": True, "php_workers": 20,
            "domain": "web.lan",
        },
        secrets={"database_password": "s3cr3t-database-password"},
    )  # fmt: skip
    Component.objects.create(server=made, name="nginx", title="Nginx", version="1.22.1", position=0)
    return made


def test_a_server_is_listed_with_its_components(api: APIClient, server: Server) -> None:
    listed = api.get(SERVERS).json()["results"]
    assert [(row["name"], row["status"], row["device"]["name"]) for row in listed] == [("web", "active", "big")]
    assert listed[0]["components"] == [{"name": "nginx", "title": "Nginx", "version": "1.22.1"}]


def test_credentials_are_shown_at_their_own_address_only(api: APIClient, server: Server) -> None:
    for address in (SERVERS, f"{SERVERS}/{server.pk}"):
        assert "s3cr3t" not in api.get(address).content.decode()

    answer = api.get(f"{SERVERS}/{server.pk}/credentials")
    assert {"label": "Password", "value": "s3cr3t-database-password", "secret": True} in answer.json()[0]["fields"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status=active", ["web"]),
        ("name=web", ["web"]),
        ("name=we", []),
        ("status=failed", []),
        ("device=big", ["web"]),
        ("device=small", []),
    ],
)
def test_servers_are_filtered(api: APIClient, server: Server, query: str, names: list[str]) -> None:
    assert [row["name"] for row in api.get(f"{SERVERS}?{query}").json()["results"]] == names


def test_a_filter_that_cannot_be_is_refused(api: APIClient, server: Server) -> None:
    assert "provisioning, active, failed" in api.get(f"{SERVERS}?status=x").json()["status"][0]
    assert 'no device "x"' in api.get(f"{SERVERS}?device=x").json()["device"][0]


def test_a_server_type_carries_its_options_as_json_schema(api: APIClient) -> None:
    listed = {row["id"]: row for row in api.get("/api/v1/infrastructure/server-types").json()["results"]}
    described = listed[factories.SMALL]
    assert described["options"]["properties"]["php_version"]["enum"] == ["8.1", "8.2", "8.3"]
    assert described["requirements"]["memory_mb"] == {"minimum": 2048, "recommended": 4096}
    assert api.get(f"/api/v1/infrastructure/server-types/{factories.SMALL}").json() == described


def test_the_placement_shows_points_reasons_and_refusals(api: APIClient, big: Device) -> None:
    factories.device("tiny", memory_total_mb=512, memory_available_mb=512)
    ranked = api.get(f"/api/v1/placement?server_type={factories.SMALL}").json()
    assert [row["device"]["name"] for row in ranked] == ["big", "small", "tiny"]
    assert ranked[0]["points"] > ranked[1]["points"] and "RAM available" in ranked[0]["reasons"][0]
    assert not ranked[2]["fits"] and "at least 2GB needed" in ranked[2]["refusals"][0]


def test_the_placement_needs_a_server_type(api: APIClient) -> None:
    assert factories.SMALL in api.get("/api/v1/placement").json()["server_type"][0]
