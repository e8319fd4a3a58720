"""Every view says what it does, and the policy alone decides who may."""

from __future__ import annotations

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from forgelab.accounts import policy, services
from forgelab.accounts.actors import SYSTEM
from forgelab.accounts.models import User
from forgelab.api.permissions import action_of
from forgelab.servers.models import Server
from tests import factories
from tests.api.endpoints import CHANGING, ENDPOINTS


@pytest.mark.parametrize(("path", "method"), CHANGING)
def test_every_method_that_changes_something_declares_its_action(path: str, method: str) -> None:
    assert action_of(ENDPOINTS[path], method) in policy.ACTIONS


@pytest.mark.parametrize("path", ENDPOINTS)
def test_no_view_declares_an_action_for_a_method_that_it_lacks(path: str) -> None:
    assert set(ENDPOINTS[path].actions) <= set(ENDPOINTS[path].allowed_methods)
    assert set(ENDPOINTS[path].actions.values()) <= set(policy.ACTIONS)


@pytest.fixture
def visitor(user: User) -> APIClient:
    """A client with the token of a user who owns nothing."""
    other = services.user_create(username="bob", password="correct horse battery", actor=SYSTEM)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {services.token_create(user=other, actor=SYSTEM)}")
    return client


def address(path: str) -> str:
    return "/api/v1/" + path.replace("<uuid:key>", str(uuid4())).replace("<int:key>", "1").replace("<str:key>", "x")


@pytest.mark.parametrize(("path", "method"), CHANGING)
def test_who_only_looks_changes_nothing_and_learns_whom_to_ask(visitor: APIClient, path: str, method: str) -> None:
    answer = visitor.generic(method, address(path), "{}", content_type="application/json")
    action = action_of(ENDPOINTS[path], method)
    if policy.ACTIONS[action].needs is policy.Needs.LOGIN:
        assert answer.status_code == 400  # let through, and the empty body is refused
    else:
        assert answer.status_code == 403
        assert answer.json()["detail"].endswith("Ask an owner of this ForgeLab: ada.")


def test_who_only_looks_sees_servers_but_not_their_credentials(visitor: APIClient) -> None:
    device = factories.device("web1")
    server = Server.objects.create(name="shop", server_type=factories.SMALL, device=device, secrets={})
    shown = f"/api/v1/infrastructure/servers/{server.pk}"
    assert visitor.get(shown).status_code == 200
    assert visitor.get(f"/api/v1/devices/{device.pk}").status_code == 200
    for path in ("credentials", "backups?refresh=true"):
        assert visitor.get(f"{shown}/{path}").status_code == 403
    assert visitor.get("/api/v1/devices/host-keys?address=192.0.2.1").status_code == 403
