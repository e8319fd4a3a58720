"""Drift checks on a server's page, and the drift that they found."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from forgelab.devices.models import Device
from forgelab.servers.models import Server
from tests.web.changes import PAGE, managed_server
from tests.web.pages import text


@pytest.fixture
def server(best: Device) -> Server:
    return managed_server(best)


def test_drift_is_shown_on_the_servers_page_and_in_the_lists(web: Client, server: Server) -> None:
    assert "Not checked since it was provisioned" in text(web.get(PAGE))
    Server.objects.update(drift_count=3, drift_since=timezone.now(), drift_checked_at=timezone.now())
    assert "3 differences from its plan" in text(web.get(PAGE))
    assert "Reprovision it to repair them" in text(web.get(PAGE))
    for page in ("/", "/servers/"):
        assert "3 differences from its plan" in text(web.get(page))


def test_the_daily_check_is_turned_off_and_on(web: Client, server: Server) -> None:
    web.post(f"{PAGE}daily-check/", {"daily": "off"})
    assert not Server.objects.get().drift_watch
    web.post(f"{PAGE}daily-check/", {"daily": "on"})
    assert Server.objects.get().drift_watch


def test_no_link_starts_it(web: Client, server: Server) -> None:
    for action in ("drift-check", "daily-check"):
        assert web.get(f"{PAGE}{action}/").status_code == 405
