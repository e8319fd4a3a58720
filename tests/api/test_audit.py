from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from forgelab.accounts import audit
from forgelab.accounts.actors import SYSTEM, from_person
from forgelab.accounts.models import User

PATH = "/api/v1/audit"


@pytest.fixture(autouse=True)
def entries(user: User) -> None:
    audit.record(actor=from_person(user, "192.168.1.7"), action="run.cancel", name="Provision shop")
    audit.record(actor=SYSTEM, action="server.plan", name="shop", after={"redis_password": "hunter2"})


def test_entries_come_newest_first_without_secrets(api: APIClient) -> None:
    answer = api.get(f"{PATH}?object=shop")

    (entry,) = answer.json()["results"]
    assert (entry["actor"], entry["action"], entry["after"]) == ("ForgeLab", "server.plan", {"redis_password": "•••"})
    assert "hunter2" not in answer.content.decode()


@pytest.mark.parametrize("query", ["actor=ada&action=run.cancel", "action=run.cancel", "object=Provision+shop"])
def test_they_are_filtered_by_actor_action_and_object(api: APIClient, query: str) -> None:
    found = api.get(f"{PATH}?{query}").json()["results"]

    assert [(entry["action"], entry["origin"]) for entry in found] == [("run.cancel", "192.168.1.7")]


def test_pages_are_followed_by_a_cursor(api: APIClient) -> None:
    first = api.get(f"{PATH}?limit=1").json()
    second = api.get(first["next"]).json()

    assert first["results"][0]["id"] > second["results"][0]["id"]


def test_an_unknown_action_is_refused(api: APIClient) -> None:
    answer = api.get(f"{PATH}?action=device.paint")

    assert answer.status_code == 400
    assert "is not one of" in answer.json()["action"][0]


def test_only_owners_see_it(api: APIClient, user: User) -> None:
    User.objects.update(is_superuser=False)

    answer = api.get(PATH)

    assert answer.status_code == 403
    assert "but not see who did what" in answer.json()["detail"]
