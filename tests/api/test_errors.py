from __future__ import annotations

import json

import pytest
from django.test import Client
from rest_framework.test import APIClient

from forgelab.accounts import services
from forgelab.accounts.actors import SYSTEM
from forgelab.accounts.models import User
from tests import factories

PROVISION = "/api/v1/infrastructure/provision"

pytestmark = pytest.mark.django_db


def post(api: APIClient, data: bytes, content_type: str = "application/json") -> tuple[int, str]:
    answer = api.post(PROVISION, data, content_type=content_type)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, answer.json()["detail"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "not valid JSON: Expecting property name"),
        (b"[]", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'{"name": NaN}', "NaN is not a JSON value"),
        (b'{"name": "\xff"}', "not valid Unicode"),
        (b'{"name": "\\ud800"}', "not valid Unicode"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused_with_a_sentence(api: APIClient, data: bytes, words: str) -> None:
    status, detail = post(api, data)
    assert status == 400 and words in detail


def test_a_body_that_is_too_large_is_refused(api: APIClient) -> None:
    status, detail = post(api, json.dumps({"name": "x" * 1_100_000}).encode())
    assert status == 413 and "1000000 bytes are allowed" in detail


def test_another_kind_of_body_is_refused_with_the_right_header(api: APIClient) -> None:
    status, detail = post(api, b"name=x", "application/x-www-form-urlencoded")
    assert status == 415 and "Content-Type: application/json" in detail


def test_a_method_that_is_not_offered_is_answered_with_those_that_are(api: APIClient) -> None:
    answer = api.delete(PROVISION)
    assert (answer.status_code, answer.json()) == (405, {"detail": "DELETE is not possible here; allowed: POST."})


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("runs/not-a-uuid", "There is nothing at /api/v1/runs/not-a-uuid."),
        ("runs/", "no slash at the end"),
        ("infrastructure/server-types/mail", 'There is no server type "mail"'),
        ("", "All paths: /api/v1/schema"),
    ],
)
def test_a_path_that_does_not_exist_is_answered_in_json(api: APIClient, path: str, words: str) -> None:
    answer = api.get(f"/api/v1/{path}")
    assert answer.status_code == 404 and words in answer.json()["detail"]


def test_without_a_token_nothing_is_shown(client: Client) -> None:
    factories.device("web1")
    for path in ("devices", "runs", "infrastructure/servers", "infrastructure/server-types", "schema"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 401 and "forgelab token create" in answer.json()["detail"], path


def test_a_wrong_token_is_refused() -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Token 0123456789abcdef")
    assert client.get("/api/v1/runs").status_code == 401


def test_a_logged_in_browser_needs_the_csrf_token_to_change_things(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get("/api/v1/runs").status_code == 200
    answer = client.post(PROVISION, "{}", content_type="application/json")
    assert answer.status_code == 403 and "CSRF" in answer.json()["detail"]


def test_a_mistake_of_our_own_shows_no_stack_trace(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("a secret inside")

    monkeypatch.setattr("forgelab.api.provision.views.services.server_provision", broken)
    answer = api.post(PROVISION, {"server_type": factories.SMALL, "name": "web"}, format="json")
    assert answer.status_code == 500
    assert "log" in answer.json()["detail"] and "secret" not in answer.content.decode()


def test_a_token_is_stored_as_a_hash_only(user: User) -> None:
    token = services.token_create(user=user, actor=SYSTEM)
    stored = [str(value) for row in user.auth_token_set.values() for value in row.values()]
    assert stored and not any(token in value for value in stored)
