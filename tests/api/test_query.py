"""Query parameters: each view knows its own, and says so of any other."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "name", "sentence"),
    [
        ("devices?page_size=100", "page_size",
         'This is not a known parameter; known are name, status, cursor, limit; did you mean "limit"?'),
        ("devices?page=2", "page", 'did you mean "cursor"?'),
        ("runs?stauts=failed", "stauts", 'known are status, device, cursor, limit; did you mean "status"?'),
        ("infrastructure/servers?q=web", "q", "known are name, status, environment, device, cursor, limit."),
        ("placement?server_typ=x", "server_typ", 'did you mean "server_type"?'),
        ("infrastructure/server-types?limit=5", "limit", "there are no parameters here."),
        ("schema?limit=5", "limit", "known are format, lang."),
        ("devices?status=reachable&status=asleep", "status", "This is given 2 times; once is allowed."),
        ("runs?device=%00", "device", "NUL characters are not allowed."),
        ("runs?status=%25s", "status", '"%s" is not one of queued, running, succeeded, failed, cancelled, lost.'),
        ("runs?device=100%25", "device", 'There is no device "100%".'),
        ("runs?format=xml", "format", '"xml" is not one of json.'),
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_is_refused_by_name(api: APIClient, path: str, name: str, sentence: str) -> None:
    answer = api.get(f"/api/v1/{path}")
    assert answer.status_code == 400, answer.content
    assert answer.json()[name][0].endswith(sentence)


def test_a_request_that_changes_something_takes_no_parameters(api: APIClient) -> None:
    answer = api.post("/api/v1/infrastructure/provision?dry_run=true", {}, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["dry_run"])


@pytest.mark.parametrize("text", ["0", "-1", "201", "x", "1e2", "", "9" * 5000])
def test_a_page_has_a_number_of_rows_that_can_be(api: APIClient, text: str) -> None:
    answer = api.get("/api/v1/devices", {"limit": text})
    assert answer.status_code == 400
    assert "is not a whole number from 1 to 200" in answer.json()["limit"][0]


def test_the_largest_page_is_given_whole(api: APIClient) -> None:
    for number in range(51):
        factories.device(f"web{number}", address=f"192.0.2.{number}")
    assert len(api.get("/api/v1/devices?limit=200").json()["results"]) == 51
    assert len(api.get("/api/v1/devices").json()["results"]) == 50


@pytest.mark.parametrize(
    ("path", "cursor"),
    [("devices", "x"), ("devices", "cD0lMDA="), ("runs", "cD13ZWIx")],  # the second is p=%00, the third p=web1
)
def test_a_cursor_that_the_list_never_gave_is_not_found(api: APIClient, path: str, cursor: str) -> None:
    factories.run(factories.device("web1"))
    answer = api.get(f"/api/v1/{path}", {"cursor": cursor})
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])
    assert "begin again without one" in answer.json()["detail"]


def test_an_empty_filter_is_refused_and_not_ignored(api: APIClient) -> None:
    assert '"" is not one of' in api.get("/api/v1/devices?status=").json()["status"][0]
    assert 'no device ""' in api.get("/api/v1/runs?device=").json()["device"][0]
