"""A device's page, and what can be done with it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.test import Client

from forgelab.devices.models import Device
from tests import factories
from tests.web.pages import field, text
from tests.web.world import OTHER


def test_a_devices_page_shows_facts_and_pinned_fingerprints(web: Client, best: Device) -> None:
    factories.server(best)

    page = text(web.get("/devices/homelab-server-02/"))

    for words in (
        "Reachable",
        "12GB of 16GB free",
        "Debian 12 (bookworm), x86_64",
        factories.FINGERPRINT,
        "laravel-production",
    ):
        assert words in page


def test_looking_again_stores_what_the_device_says(web: Client, best: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forgelab.web.views.devices.services.device_refresh", lambda device, actor: device)

    page = web.post("/devices/homelab-server-02/refresh/", follow=True)

    assert "homelab-server-02 answered." in text(page)


def test_other_host_keys_are_pinned_only_when_ticked(web: Client, best: Device, world: SimpleNamespace) -> None:
    world.keys = OTHER
    address = "/devices/homelab-server-02/trust/"

    page = text(web.get(address))
    assert factories.FINGERPRINT in page
    assert OTHER[0].fingerprint in page

    web.post(address)
    best.refresh_from_db()
    assert best.host_keys == factories.HOST_KEY

    web.post(address, {"accepted": OTHER[0].fingerprint})
    best.refresh_from_db()
    assert best.host_keys == str(OTHER[0])


def test_a_wrong_mac_address_is_reported_beside_its_field_and_what_was_typed_stays(web: Client, best: Device) -> None:
    page = web.post("/devices/homelab-server-02/sleep/", {"sleeps": "on", "mac_address": "52:54"})

    assert page.status_code == 422
    assert '"52:54" is no address of a network card' in field(page, "mac_address")
    assert 'value="52:54"' in page.content.decode()
    assert "checked" in page.content.decode()
    best.refresh_from_db()
    assert not best.sleeps


def test_a_device_with_a_server_is_not_removed(web: Client, best: Device) -> None:
    factories.server(best)

    page = web.post("/devices/homelab-server-02/remove/", follow=True)

    assert "cannot be removed" in text(page)
    assert Device.objects.exists()


def test_an_empty_device_is_removed(web: Client, best: Device) -> None:
    web.post("/devices/homelab-server-02/remove/")

    assert not Device.objects.exists()


def test_a_device_behind_another_shows_the_way_and_this_machine_needs_none(web: Client, best: Device) -> None:
    Device.objects.create(name="attic", address="fd00::5", jump=best, identity=best.identity, host_keys=best.host_keys)
    Device.objects.create(name="here", address="localhost", connection="local")

    assert "Jump host homelab-server-02" in text(web.get("/devices/attic/"))
    assert "Jump host for attic" in text(web.get("/devices/homelab-server-02/"))
    page = text(web.get("/devices/here/"))
    assert "it needs no SSH and no keys here" in page and "port 22" not in page
    for address in ("/devices/", "/"):
        assert web.get(address).status_code == 200
    refused = text(web.post("/devices/homelab-server-02/remove/", follow=True))
    assert "attic is reached through it" in refused
