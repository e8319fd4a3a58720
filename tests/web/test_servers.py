"""The success page, a server's page and its credentials."""

from __future__ import annotations

import pytest
from django.test import Client

from forgelab.devices.models import Device
from forgelab.servers.models import Server
from tests import factories
from tests.web.pages import text

ADDRESS = "/servers/laravel-production/credentials/"


@pytest.fixture
def server(best: Device) -> Server:
    return factories.server(best)


def test_the_success_page_says_what_the_specification_shows(web: Client, server: Server) -> None:
    page = text(web.get("/servers/laravel-production/ready/"))

    for words in (
        "Laravel App Server Ready!", "Server laravel-production", "Device homelab-server-02",
        "IP Address 192.168.1.105",
        "Installed Components", "Nginx 1.22.1", "PostgreSQL 15.14", "Database Credentials", "Host localhost",
        "Next steps Deploy your Laravel application", "View Server Details",
    ):  # fmt: skip
        assert words in page


def test_a_server_that_failed_is_not_called_ready(web: Client, best: Device) -> None:
    factories.server(best, "shop", status=Server.Status.FAILED)

    page = text(web.get("/servers/shop/ready/"))

    assert "shop is not ready" in page
    assert "Ready!" not in page


def test_secrets_come_only_when_they_are_asked_for(web: Client, server: Server) -> None:
    assert factories.SECRET not in web.get("/servers/laravel-production/").content.decode()

    answer = web.post(ADDRESS, headers={"Accept": "application/json"})

    assert factories.SECRET in answer.json()["values"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_values_come_in_the_order_of_the_page(web: Client, server: Server) -> None:
    values = web.post(ADDRESS, headers={"Accept": "application/json"}).json()["values"]

    assert web.get("/servers/laravel-production/").content.decode().count("data-value>") == len(values)
    assert values[0] == "localhost"
    assert values[3] == factories.SECRET


def test_without_javascript_a_button_shows_the_credentials(web: Client, server: Server) -> None:
    assert factories.SECRET in text(web.post(ADDRESS))


def test_credentials_are_never_fetched_by_following_a_link(web: Client, server: Server) -> None:
    assert web.get(ADDRESS).status_code == 405


def test_credentials_need_a_login(client: Client, server: Server) -> None:
    assert client.post(ADDRESS).status_code == 302


def test_credentials_need_the_form_of_our_own_page(server: Server, user: object) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    assert strict.post(ADDRESS).status_code == 403


def test_a_server_whose_recipe_is_gone_still_has_a_page(web: Client, server: Server) -> None:
    Server.objects.filter(pk=server.pk).update(server_type="gone")

    assert "The recipe gone is gone from the recipes folder" in text(web.get("/servers/laravel-production/"))


def test_options_are_shown_by_their_labels_as_far_as_they_apply(web: Client, server: Server) -> None:
    page = text(web.get("/servers/laravel-production/"))

    assert "PHP Version 8.2" in page
    assert "Include Redis cache yes" in page
    assert "PostgreSQL version 15" in page
    assert "MySQL version" not in page
