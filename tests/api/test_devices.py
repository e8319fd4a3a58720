"""Devices over the API: adding by accepted keys, trusting, refreshing, removing, and commands to join by."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from forgelab.devices import hostkeys, join_tokens, ssh
from forgelab.devices.models import Device, Identity, JoinToken
from forgelab.servers.models import Server
from tests import factories

OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB+NyLOy3WlLqOEWf3VIhZjmIFrGdYoYLMxYgQ/VLr0T"
OTHER_FINGERPRINT = hostkeys.parse(OTHER)[0].fingerprint
BODY = {"name": "attic", "address": "192.0.2.7"}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[hostkeys.HostKey]:
    """The keys that any address shows; a login to it works."""
    keys = hostkeys.parse(f"{factories.HOST_KEY}\n{OTHER}")

    def scan(address: str, port: int, timeout: int = 5, jump: Device | None = None) -> list[hostkeys.HostKey]:
        if not keys:
            raise hostkeys.HostKeyError(f"No SSH server answers at {address} port {port}.")
        return keys

    def run_script(device: Device, script: str, *, root: bool = False, **_: object) -> str:
        return "0\n" if root else subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True).stdout

    monkeypatch.setattr(hostkeys, "scan", scan)
    monkeypatch.setattr(ssh, "run_script", run_script)
    return keys


def add(api: APIClient, **body: Any) -> Any:
    return api.post("/api/v1/devices", BODY | body, format="json")


def test_the_fingerprints_are_shown_first(api: APIClient, shown: list[hostkeys.HostKey]) -> None:
    answer = api.get("/api/v1/devices/host-keys", {"address": "192.0.2.7"})
    assert {key["fingerprint"] for key in answer.json()} == {factories.FINGERPRINT, OTHER_FINGERPRINT}


def test_only_accepted_keys_are_pinned(api: APIClient, shown: list[hostkeys.HostKey]) -> None:
    answer = add(api, fingerprints=[OTHER_FINGERPRINT])
    assert answer.status_code == 201, answer.content
    assert answer.json()["fingerprints"] == [OTHER_FINGERPRINT]
    assert Device.objects.get().host_keys == OTHER


def test_keys_that_are_known_are_pinned_whatever_is_shown(api: APIClient, shown: list[hostkeys.HostKey]) -> None:
    shown.clear()
    assert add(api, host_keys=[factories.HOST_KEY]).status_code == 201
    assert Device.objects.get().host_keys == factories.HOST_KEY


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "fingerprints", "devices/host-keys"),
        ({"fingerprints": ["SHA256:" + "A" * 43]}, "fingerprints", OTHER_FINGERPRINT),
        ({"host_keys": ["ssh-ed25519 nonsense"]}, "host_keys", "ssh-ed25519 AAAA"),
        ({"fingerprints": ["x"], "host_keys": [OTHER]}, "host_keys", "not both"),
        ({"password": "a", "private_key": "b"}, "password", "not both"),
        ({"host_keys": [OTHER], "name": "Attic!"}, "name", "lowercase letters"),
        ({"host_keys": [OTHER], "private_key": "no key"}, "private_key", "not a private SSH key"),
        ({"host_keys": [OTHER], "jump": "b5b1b0c4-0000-0000-0000-000000000000"}, "jump", "does not exist"),
        ({"host_keys": [OTHER], "pasword": "a"}, "pasword", "not a known key"),
    ],
)
def test_wrong_input_is_reported_by_its_field(
    api: APIClient, shown: list[hostkeys.HostKey], body: dict[str, Any], field: str, words: str
) -> None:
    answer = add(api, **body)
    assert answer.status_code == 400
    assert words in answer.json()[field][0]
    assert not Device.objects.exists()


def test_where_nothing_answers_it_is_reported(api: APIClient, shown: list[hostkeys.HostKey]) -> None:
    shown.clear()
    for answer in (
        add(api, fingerprints=[OTHER_FINGERPRINT]),
        api.get("/api/v1/devices/host-keys", {"address": "192.0.2.7"}),
    ):
        assert answer.status_code == 409
        assert "No SSH server answers at 192.0.2.7 port 22" in answer.json()["detail"]


def test_a_password_is_used_and_not_answered(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    used = []

    def by_password(*, password: str, host_keys: list[hostkeys.HostKey], **fields: Any) -> Device:
        used.append(password)
        return factories.device(fields["name"], host_keys="\n".join(map(str, host_keys)))

    monkeypatch.setattr("forgelab.devices.passwords.device_add_with_password", by_password)
    answer = add(api, host_keys=[OTHER], user="ada", password=" s3cret-one ")
    assert (answer.status_code, used) == (201, [" s3cret-one "])
    assert "s3cret" not in answer.content.decode()


def test_a_private_key_is_stored_and_not_answered(
    api: APIClient, shown: list[hostkeys.HostKey], private_key: str
) -> None:
    answer = add(api, host_keys=[OTHER], private_key=private_key)
    assert answer.status_code == 201
    assert "PRIVATE" not in answer.content.decode()
    assert Device.objects.get().identity.name == "attic-key"


def test_the_machine_of_forgelab_itself_needs_no_keys(api: APIClient, shown: list[hostkeys.HostKey]) -> None:
    answer = add(api, connection="local")
    assert answer.status_code == 201, answer.content
    device = Device.objects.get()
    assert (device.connection, device.identity) == ("local", None)
    assert api.get(f"/api/v1/devices/{device.pk}/host-keys").status_code == 409


def test_other_keys_are_pinned_on_purpose(api: APIClient, shown: list[hostkeys.HostKey]) -> None:
    device = factories.device("web1")
    address = f"/api/v1/devices/{device.pk}/host-keys"
    keys = api.get(address).json()
    assert (len(keys["shown"]), [key["fingerprint"] for key in keys["pinned"]]) == (2, [factories.FINGERPRINT])

    assert api.post(address, {}, format="json").status_code == 400
    answer = api.post(address, {"fingerprints": [OTHER_FINGERPRINT]}, format="json")
    assert answer.json()["fingerprints"] == [OTHER_FINGERPRINT]


def test_a_refresh_reports_also_that_nothing_answers(api: APIClient) -> None:
    device = factories.device("web1", address="127.0.0.1", port=1)
    answer = api.post(f"/api/v1/devices/{device.pk}/refresh")
    assert answer.status_code == 200
    assert answer.json()["status_detail"]


def test_a_device_with_servers_is_not_removed_and_the_list_is_reported(api: APIClient) -> None:
    device = factories.device("web1")
    server = Server.objects.create(name="shop", server_type=factories.SMALL, device=device, secrets={})
    answer = api.delete(f"/api/v1/devices/{device.pk}")
    assert answer.status_code == 409
    assert "shop is still on it" in answer.json()["detail"]

    server.delete()
    assert api.delete(f"/api/v1/devices/{device.pk}").status_code == 204
    assert not Device.objects.exists()


def test_a_command_is_shown_once(api: APIClient, settings: Settings) -> None:
    settings.LISTENING_URL = "http://192.168.1.5:8000/"
    made = api.post("/api/v1/devices/join-tokens", {"name": "attic"}, format="json")
    assert made.status_code == 201
    token = JoinToken.objects.get()
    text = made.json()["command"].split()[2].rpartition("/")[2]
    assert join_tokens.digest(text) == token.digest

    later = api.get(f"/api/v1/devices/join-tokens/{token.pk}")
    assert (later.json()["state"], later.json()["device"]) == ("waiting", None)
    assert text not in later.content.decode() and token.digest not in later.content.decode()
    assert api.get("/api/v1/devices/join-tokens/99").status_code == 404


def test_no_command_is_made_that_could_not_work(api: APIClient) -> None:
    answer = api.post("/api/v1/devices/join-tokens", {}, format="json", HTTP_HOST="127.0.0.1:8000")
    assert answer.status_code == 409
    assert "forgelab up --host 0.0.0.0" in answer.json()["detail"]
    assert not JoinToken.objects.exists()


def test_without_a_token_nothing_of_it_is_allowed(client: APIClient, db: None) -> None:
    key = factories.device("web1").pk
    for method, path in (
        ("post", "devices"), ("get", "devices/host-keys?address=192.0.2.1"), ("post", "devices/join-tokens"),
        ("delete", f"devices/{key}"), ("post", f"devices/{key}/host-keys"), ("post", f"devices/{key}/refresh"),
    ):  # fmt: skip
        assert getattr(client, method)(f"/api/v1/{path}").status_code == 401
    assert not Identity.objects.filter(name="attic-key").exists()


def test_a_device_is_found_by_its_name(api: APIClient, make_device: Callable[..., Device]) -> None:
    for name in ("nas", "nas-2"):
        make_device(name)
    assert [row["name"] for row in api.get("/api/v1/devices?name=nas").json()["results"]] == ["nas"]
