"""The page for sets and for what if, and environments in the wizard."""

from __future__ import annotations

import pytest
from django.test import Client

from forgelab.devices.models import Device
from forgelab.servers.models import Server
from tests import factories
from tests.web.pages import field, text
from tests.web.wizard import CONFIGURE, DEVICE, answers

SET = "/placement/?count-database-server=1&count-laravel-worker-server=2"


@pytest.fixture(autouse=True)
def nobody_is_asked(enqueued: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forgelab.web.device_ranking.device_observe", lambda device: None)


def test_a_set_is_asked_for_by_numbers_and_answered_with_reasons(web: Client) -> None:
    factories.devices()
    assert "Plan a set of servers" in text(web.get("/placement/"))
    page = text(web.get(SET))
    assert "Every server fits." in page
    assert "database-server homelab-server-0" in page
    assert "database-server, which it uses, is on this device: no network between them" in page
    assert 'value="2"' in web.get(SET).content.decode()


def test_what_has_no_place_says_why(web: Client) -> None:
    factories.device("homelab-server-02", memory_available_mb=1300)
    page = text(web.get(SET))
    assert "Not every server fits" in page
    assert "database-server : no device has 1GB RAM left for database-server once laravel-worker-server-" in page


def test_mistakes_are_reported_beside_their_field(web: Client, best: Device) -> None:
    response = web.get(f"{SET}&apart=shop,database-server")
    assert response.status_code == 422
    assert '"shop" is not one of' in field(response, "apart")
    assert "Ask for 1 to 40 servers, not 0." in text(web.get("/placement/?spread=on"))
    assert web.get("/placement/?count-database-server=x").status_code == 422


def test_what_if_a_device_were_gone(web: Client) -> None:
    best, other, *_ = factories.devices()
    factories.server(best)
    assert "/placement/?without=homelab-server-02" in web.get("/devices/homelab-server-02/").content.decode()
    page = text(web.get("/placement/?without=homelab-server-02"))
    assert "If homelab-server-02 fails" in page
    assert "laravel-production homelab-server-01" in page
    assert "nothing would have to move" in text(web.get(f"/placement/?without={other.name}"))
    assert web.get("/placement/?without=nothing").status_code == 404


def test_the_wizard_asks_for_the_environment_and_the_server_has_it(web: Client, best: Device) -> None:
    assert '<option value="production" selected>' in web.get(CONFIGURE).content.decode()
    address = DEVICE + "?" + answers(server_environment="staging")
    web.post(address, {"device": best.name})
    server = Server.objects.get()
    assert server.environment == "staging"
    assert "Environment Staging" in text(web.get("/servers/blog/"))
    assert "Reserved 2GB RAM, 20GB storage" in text(web.get("/servers/blog/"))
    again = web.get(f"{CONFIGURE}?server=blog").content.decode()
    assert '<option value="staging" selected>' in again


def test_the_others_are_shown_as_in_the_specification(web: Client) -> None:
    factories.devices()
    page = text(web.get(DEVICE + "?" + answers() + "&analyzed=1"))
    assert "homelab-server-01 Score: 78/100 8GB RAM, 75% load" in page
    assert "homelab-pi-01 Score: " in page and "3.3GB RAM, SD card" in page


def test_weights_with_mistakes_are_reported_on_the_page(web: Client, best: Device, settings, tmp_path) -> None:
    settings.PLACEMENT_FILE = tmp_path / "placement.yaml"
    settings.PLACEMENT_FILE.write_text("points: {memry: 3}")
    page = text(web.get(DEVICE + "?" + answers()))
    assert "points.memry: is not a known key" in page
