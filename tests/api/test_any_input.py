"""Whatever is sent to any endpoint, the answer is JSON, and never that something went wrong in ForgeLab itself."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from forgelab.accounts.models import User
from forgelab.api.query import known_parameters
from forgelab.api.views import View
from forgelab.devices import hostkeys, ssh
from forgelab.devices.models import Device, JoinToken
from forgelab.servers.models import Server
from tests import factories
from tests.api.endpoints import ENDPOINTS, METHODS

WORDS = ["web", factories.SMALL, "big", "production", "true", "60", "1", "postgresql", "8.2", factories.HOST_KEY,
         factories.FINGERPRINT, "192.0.2.7", "local", "together", "2026-03-10T12:00:00Z", "9999-12-31T23:59:59-14:00",
         "%", "%s", "{0}",
         "\x00", "a\x00b", "", " ", "../..", "{{ 7*7 }}", "9" * 5000, "-1", "1e400", "٣", "\u2028", "😀"]  # fmt: skip
NAMES = ["name", "config", "php_version", "php_workers", "domain", "include_redis", "database_engine", "kind",
         "servers", "count", "device", "server_type", "page_size", "__proto__", "a\x00b", ""]  # fmt: skip
TEXTS = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | TEXTS, inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture
def keys(db: None, user: User, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of a device, of its server, of a run, of a plan and of a join token; no device answers."""

    def silent(*_: object, **__: object) -> Any:
        raise ssh.DeviceUnreachable("No route to host.")

    def no_keys(*_: object, **__: object) -> Any:
        raise hostkeys.HostKeyError("No SSH server answers.")

    monkeypatch.setattr(ssh, "run_script", silent)
    monkeypatch.setattr(hostkeys, "scan", no_keys)
    monkeypatch.setattr(View, "throttle_classes", [])
    device = factories.device("big")
    config = {"php_version": "8.2", "database_engine": "postgresql", "include_redis": True, "php_workers": 20}
    server = Server.objects.create(
        name="web", server_type=factories.SMALL, device=device, status="active", config=config, secrets={}
    )
    run = factories.run(device, "succeeded", server=server)
    plan = factories.run(device, "succeeded", server=server, kind="server.plan")
    token = JoinToken.objects.create(created_by=user, name="", digest="0" * 64, expires_at=device.created_at)
    return [str(row.pk) for row in (device, server, run, plan, token)]


def bodies(path: str, method: str) -> st.SearchStrategy[Any]:
    """Objects with the keys that the endpoint knows, or anything."""
    view = ENDPOINTS[path]
    view.request = SimpleNamespace(method=method)
    try:
        known = list(view.get_serializer_class()().fields)
    except AssertionError:  # it takes no body
        known = []
    return st.dictionaries(st.sampled_from([*known, *known, *NAMES]), VALUES, max_size=6) | VALUES


def queries(path: str) -> st.SearchStrategy[dict[str, str]]:
    view = ENDPOINTS[path]
    view.request = SimpleNamespace(method="GET")
    names = [*known_parameters(view), "page_size", "format", "a\x00b"]
    return st.dictionaries(st.sampled_from(names), TEXTS, max_size=3)


def addresses(path: str, keys: list[str]) -> st.SearchStrategy[str]:
    """The path with an id of something that there is, or nothing has, or that cannot be one."""
    key = st.sampled_from([*keys, *keys, str(uuid4()), "0", "9" * 30, "x"]) | TEXTS.map(
        lambda text: quote(text, safe="")
    )
    start, mark, rest = path.partition("<")
    return key.map(lambda text: start + text + rest.partition(">")[2]) if mark else st.just(path)


@pytest.mark.parametrize(("path", "method"), METHODS)
def test_no_input_is_too_much(api: APIClient, keys: list[str], path: str, method: str) -> None:
    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(addresses(path, keys), queries(path), st.just({}) | bodies(path, method))
    def answers(address: str, query: dict[str, str], body: Any) -> None:
        with transaction.atomic():  # each example finds the homelab as it was
            answer = api.generic(
                method, f"/api/v1/{address}?{urlencode(query)}", json.dumps(body), content_type="application/json"
            )
            assert answer.status_code < 500, answer.content
            if answer.status_code >= 400 and method != "HEAD":
                said = answer.json()
                assert said and all(isinstance(name, str) and words for name, words in said.items())
            transaction.set_rollback(True)

    answers()
    assert Device.objects.count() == 1


@pytest.mark.parametrize("path", ENDPOINTS)
def test_each_endpoint_shows_its_methods(api: APIClient, path: str) -> None:
    address = path.replace("<uuid:key>", str(uuid4())).replace("<int:key>", "1").replace("<str:key>", "x")
    answer = api.options(f"/api/v1/{address}")
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == set(ENDPOINTS[path].allowed_methods) - {"HEAD"}
