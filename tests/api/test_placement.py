"""The API of placement: ranking, sets, what if."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from forgelab.accounts.actors import SYSTEM
from forgelab.devices.models import Device
from forgelab.servers.models import Server
from forgelab.servers.provisioning.services import server_provision
from tests import factories

TYPE = factories.SMALL
SETS, WHAT_IF = "/api/v1/placement/sets", "/api/v1/placement/what-if"


@pytest.fixture
def big(db: None, enqueued: list[str]) -> Device:
    factories.device("small", memory_total_mb=4096, memory_available_mb=4096)
    return factories.device("big", memory_total_mb=16384, memory_available_mb=16384)


def test_the_ranking_knows_the_other_servers_on_a_device(api: APIClient, big: Device) -> None:
    server_provision(server_type=TYPE, name="shop-staging", device=big, config={}, actor=SYSTEM)
    ranked = api.get(f"/api/v1/placement?server_type={TYPE}&name=shop&environment=production").json()
    told = {row["device"]["name"]: row["reasons"] for row in ranked}
    assert "shop-staging is here: production and staging are better kept apart" in told["big"]
    assert "is not one of" in api.get(f"/api/v1/placement?server_type={TYPE}&environment=x").json()["environment"][0]


def test_a_set_is_placed_under_constraints(api: APIClient, big: Device) -> None:
    asked = {
        "servers": [{"server_type": TYPE, "name": "one"}, {"server_type": TYPE, "name": "two"}],
        "constraints": [{"kind": "apart", "servers": [TYPE]}, {"kind": "on", "servers": ["two"], "device": "big"}],
    }
    found = api.post(SETS, asked, format="json").json()
    assert (found["complete"], found["best"], found["missing"]) == (True, True, [])
    assert {row["name"]: row["device"]["name"] for row in found["choices"]} == {"one": "small", "two": "big"}
    assert "RAM available" in found["choices"][0]["reasons"][0]
    assert not Server.objects.exists()


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "servers", "required"),
        ({"servers": []}, "servers", "Ask for 1 to 40 servers"),
        ({"servers": [{"server_type": "x"}]}, "servers[0].server_type", 'there is no recipe "x"'),
        ({"servers": [{"server_type": TYPE, "nmae": "x"}]}, "servers[0].nmae", "known are"),
        ({"servers": [{"server_type": TYPE}], "constraints": [{"kind": "apart", "servers": ["x"]}]},
         "constraints[0]", '"x" is not one of'),
        ({"servers": [{"server_type": TYPE}], "constraints": [{"kind": "near"}]}, "constraints[0].kind", "near"),
    ],
)  # fmt: skip
def test_wrong_input_is_reported_by_field(
    api: APIClient, big: Device, body: dict[str, Any], field: str, words: str
) -> None:
    answer = api.post(SETS, body, format="json")
    assert answer.status_code == 400
    assert words in str(answer.json()), answer.json()
    assert field.partition("[")[0] in str(answer.json())


def test_what_if_shows_places_and_reasons(api: APIClient, big: Device) -> None:
    server_provision(server_type=TYPE, name="web", device=big, config={}, actor=SYSTEM)
    found = api.get(f"{WHAT_IF}?device=big").json()
    assert [(row["name"], row["device"]["name"]) for row in found["choices"]] == [("web", "small")]
    Device.objects.filter(name="small").update(cores=1)
    found = api.get(f"{WHAT_IF}?device={big.pk}").json()
    assert not found["complete"] and "1 core, at least 2 needed" in found["missing"][0]["reason"]
    assert "Give a device" in api.get(WHAT_IF).json()["device"][0]
    assert "There is no device" in api.get(f"{WHAT_IF}?device=x").json()["device"][0]


def test_a_server_is_provisioned_into_its_environment_and_found_by_it(api: APIClient, big: Device) -> None:
    body = {"server_type": TYPE, "name": "web", "environment": "staging"}
    assert api.post("/api/v1/infrastructure/provision", body, format="json").status_code == 202
    listed = api.get("/api/v1/infrastructure/servers?environment=staging").json()["results"]
    assert [(row["name"], row["environment"], row["storage_mb"] > 0) for row in listed] == [("web", "staging", True)]
    assert api.get("/api/v1/infrastructure/servers?environment=production").json()["results"] == []
    body |= {"name": "other", "environment": "live"}
    assert "environment" in api.post("/api/v1/infrastructure/provision", body, format="json").json()
