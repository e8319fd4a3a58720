"""Joining by a command: the page that makes it and waits, and what machines that nobody logged in at fetch and send."""

from __future__ import annotations

import re
import subprocess
from ipaddress import ip_network
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from forgelab.accounts.actors import SYSTEM
from forgelab.accounts.models import User
from forgelab.devices import join_tokens
from forgelab.devices.models import Device, JoinToken
from forgelab.lib.client_ip import client_ip
from forgelab.web import join_throttle
from tests import factories
from tests.web.pages import field, text

REPORT = f"hostname=attic\nport=22\nhost_key={factories.HOST_KEY}\naddress=192.168.1.7\n"
HTMX = {"HX-Request": "true"}
HERE = {"HTTP_HOST": "127.0.0.1:8000"}


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def token(user: User) -> str:
    return join_tokens.token_create(user=user, actor=SYSTEM)[1]


def send(client: Client, token: str, body: str = REPORT, **extra: str) -> str:
    answer = client.post(f"/join/{token}", body, content_type="text/plain", **extra)
    assert answer.status_code == 200
    return answer.content.decode()


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True)


def test_the_page_makes_a_command_whose_token_is_nowhere_else(web: Client, settings: Settings) -> None:
    settings.LISTENING_URL = "http://192.168.1.5:8000/"

    page = web.post("/add-device/", {"name": "attic"})

    command = re.search(r"curl -fsS http://192\.168\.1\.5:8000/join/([\w-]{43}) \| sudo sh", text(page))
    assert command
    made = JoinToken.objects.get()
    assert (made.name, made.digest) == ("attic", join_tokens.digest(command[1]))
    assert command[1] not in web.get(f"/add-device/join/{made.pk}/").content.decode()
    assert "no-store" in page.headers["Cache-Control"]


def test_a_look_at_the_page_makes_no_token(web: Client) -> None:
    web.get("/add-device/")

    assert not JoinToken.objects.exists()


def test_where_no_machine_can_reach_forgelab_the_page_says_how_to_start_it(web: Client, settings: Settings) -> None:
    settings.LISTENING_URL = "http://127.0.0.1:8123/"

    for page in (web.get("/add-device/", **HERE), web.post("/add-device/", **HERE)):
        assert "forgelab down forgelab up --host 0.0.0.0 --port 8123" in text(page)
        assert "curl" not in text(page)
    assert not JoinToken.objects.exists()


def test_the_address_that_was_set_wins(web: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://forgelab.example"

    page = web.post("/add-device/", {"name": ""}, **HERE)

    assert "curl -fsS https://forgelab.example/join/" in text(page)
    assert "plain HTTP" not in text(page)


@pytest.mark.parametrize("name", ["My Attic", "homelab-server-02", "a;reboot"])
def test_a_wrong_name_is_reported_beside_it(web: Client, best: Device, name: str) -> None:
    page = web.post("/add-device/", {"name": name})

    assert page.status_code == 422
    assert name in field(page, "name")
    assert not JoinToken.objects.exists()


def test_the_page_goes_to_the_device_when_it_has_joined(web: Client, token: str, best: Device) -> None:
    address = f"/add-device/join/{JoinToken.objects.get().pk}/"
    assert web.get(f"{address}?shown=waiting", headers=HTMX).status_code == 204
    assert 'http-equiv="refresh"' in web.get(address).content.decode()

    JoinToken.objects.update(used_at=timezone.now(), device=best)

    assert web.get(address).headers["Location"] == "/devices/homelab-server-02/"
    told = web.get(f"{address}?shown=waiting", headers=HTMX)
    assert told.headers["HX-Redirect"] == "/devices/homelab-server-02/"


def test_the_page_shows_why_a_machine_did_not_join(web: Client, token: str) -> None:
    JoinToken.objects.update(used_at=timezone.now(), failure="attic refused the key <forgelab>.")

    address = f"/add-device/join/{JoinToken.objects.get().pk}/"
    page = web.get(address)

    assert "attic refused the key <forgelab>." in text(page)
    assert "refresh" not in page.content.decode()
    part = web.get(f"{address}?shown=joining", headers=HTMX)
    assert part.headers["HX-Retarget"] == "#joining"
    assert part.content.decode().strip().startswith("<section") and "hx-get" not in part.content.decode()
    assert "attic refused the key <forgelab>." in text(part)


def test_the_command_stays_on_the_page_while_the_machine_joins(web: Client, token: str) -> None:
    JoinToken.objects.update(used_at=timezone.now())

    part = web.get(f"/add-device/join/{JoinToken.objects.get().pk}/?shown=waiting", headers=HTMX)

    assert "The machine has called." in text(part)
    assert "HX-Retarget" not in part.headers
    assert "shown=joining" in part.content.decode() and "<section" not in part.content.decode()


def test_without_a_login_no_page_of_it_is_shown(client: Client, token: str) -> None:
    assert client.get(f"/add-device/join/{JoinToken.objects.get().pk}/").status_code == 302


def test_fetching_the_script_uses_nothing_up(client: Client, token: str) -> None:
    for _ in range(3):
        script = client.get(f"/join/{token}").content.decode()
        assert script.startswith("#!/bin/sh")
        assert f"report_url=http://testserver/join/{token}" in script
    assert JoinToken.objects.get().used_at is None


def test_a_report_adds_the_machine_once(client: Client, token: str, world: SimpleNamespace) -> None:
    assert send(client, token, REMOTE_ADDR="192.168.1.7").startswith("joined: This machine is attic in ForgeLab")
    assert Device.objects.get().address == "192.168.1.7"

    assert send(client, token).startswith("refused: This command was used already")
    assert Device.objects.count() == 1


def test_a_report_needs_no_cookie(token: str, world: SimpleNamespace) -> None:
    assert send(Client(enforce_csrf_checks=True), token).startswith("joined: ")


@pytest.mark.parametrize("state", ["used", "old", "unknown", "no token at all"])
def test_other_tokens_get_a_script_that_says_why_and_fails(client: Client, token: str, state: str) -> None:
    if state == "used":
        JoinToken.objects.update(used_at=timezone.now())
    elif state == "old":
        JoinToken.objects.update(expires_at=timezone.now())
    else:
        token = "x" * 43 if state == "unknown" else "$(reboot)"

    answer = client.get(f"/join/{token}")

    assert answer.status_code == 200  # or `curl -f` would show nothing
    done = run(answer.content.decode())
    assert done.returncode == 1
    assert done.stderr.startswith("ForgeLab: This command ")
    assert token not in answer.content.decode()


def test_a_failure_is_reported_at_once_and_uses_the_token_up(
    client: Client, token: str, world: SimpleNamespace
) -> None:
    world.keys = []

    assert "No SSH server with the machine's host keys answers at" in send(client, token)
    assert JoinToken.objects.get().failure


def test_a_report_that_is_too_large_is_not_read(client: Client, token: str) -> None:
    assert send(client, token, "x" * 20_000) == "refused: The machine's report is too large."
    assert JoinToken.objects.get().used_at is None


def test_what_goes_wrong_inside_is_not_shown_outside(client: Client, token: str, world: SimpleNamespace) -> None:
    world.error = TypeError("inner workings")

    assert send(client, token) == "refused: Something went wrong in ForgeLab itself. What exactly is in its log."


def test_guessing_is_stopped(client: Client, token: str) -> None:
    for _ in range(join_throttle.GUESSES):
        client.get(f"/join/{'x' * 43}", REMOTE_ADDR="10.0.0.66")

    assert "Too many wrong commands" in client.get(f"/join/{token}", REMOTE_ADDR="10.0.0.66").content.decode()
    assert send(client, token, REMOTE_ADDR="10.0.0.66").startswith("refused: Too many")
    assert client.get(f"/join/{token}", REMOTE_ADDR="10.0.0.7").content.startswith(b"#!/bin/sh")
    assert JoinToken.objects.get().used_at is None


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("192.168.1.7", "", "192.168.1.7"),
        ("192.168.1.7", "10.0.0.1", "192.168.1.7"),  # whoever is no proxy may write what it likes
        ("127.0.0.1", "192.168.1.7", "192.168.1.7"),
        ("127.0.0.1", "6.6.6.6, 192.168.1.7", "192.168.1.7"),
        ("127.0.0.1", "192.168.1.7, 10.1.1.1", "192.168.1.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "nonsense", ""),
        ("::ffff:127.0.0.1", "fd00::7", "fd00::7"),
        ("", "", ""),
    ],
)
def test_a_proxy_is_believed_only_where_it_is_trusted(
    settings: Settings, remote: str, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1"), ip_network("10.1.1.0/24")]
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}

    assert client_ip(RequestFactory().get("/", REMOTE_ADDR=remote, **headers)) == address
