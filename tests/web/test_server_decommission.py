"""Decommissioning a server, and forgetting one whose device is gone."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.servers.models import Server
from tests.web.changes import PAGE, managed_server
from tests.web.pages import field, text


@pytest.fixture
def server(best: Device) -> Server:
    return managed_server(best)


def test_a_server_is_decommissioned_by_its_typed_name(web: Client, server: Server) -> None:
    page = f"{PAGE}decommission/"
    assert "remove laravel-production without a backup" in text(web.get(page))
    refused = web.post(page, {"confirm": "laravel", "purge": "on"})
    assert refused.status_code == 422
    assert "Type the server's name, laravel-production, to confirm." in field(refused, "confirm")
    assert 'value="laravel"' in refused.content.decode() and "checked" in refused.content.decode()
    assert not Run.objects.exists()
    sure = {"confirm": "laravel-production", "without_backup": "remove laravel-production without a backup"}
    answer = web.post(page, sure)
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    Run.objects.update(status="succeeded", finished_at=timezone.now())
    assert web.get(f"/runs/{run.pk}/next/").headers["Location"] == "/servers/"


def test_a_server_is_forgotten_after_a_warning(web: Client, server: Server) -> None:
    assert "Nothing on homelab-server-02 is touched" in text(web.get(f"{PAGE}decommission/"))
    page = f"{PAGE}forget/"
    assert web.post(page, {"confirm": "x"}).status_code == 422
    assert web.post(page, {"confirm": "laravel-production"}).status_code == 302
    assert not Server.objects.exists()


@pytest.mark.parametrize("action", ["change", "reprovision", "drift-check", "decommission", "forget"])
def test_every_change_needs_a_login(client: Client, server: Server, action: str) -> None:
    assert client.post(f"{PAGE}{action}/").status_code == 302
    assert Server.objects.exists() and not Run.objects.exists()
