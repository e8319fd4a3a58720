"""The wizard in a real Chromium: from the type to the live page, back again, and what its fields show and hide."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.servers.models import Server
from tests import factories
from tests.e2e.browser import IN_A_BROWSER, Site

pytestmark = IN_A_BROWSER


def test_the_wizard_leads_from_the_type_to_the_live_page(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/provision/")
    page.get_by_role("link", name="Laravel App Server").click()
    page.get_by_label("Server Name").fill("My Blog")
    page.get_by_label("PHP Version", exact=True).select_option("8.2")
    page.get_by_label("Include Redis cache").uncheck()
    page.get_by_role("button", name="Provision Server").click()

    expect(page.locator("#field-name .wrong")).to_contain_text('"My Blog" is not a valid name')
    expect(page.get_by_label("PHP Version", exact=True)).to_have_value("8.2")
    expect(page.get_by_label("Include Redis cache")).not_to_be_checked()

    page.get_by_label("Server Name").fill("blog")
    page.get_by_role("button", name="Provision Server").click()
    expect(page.get_by_text("Recommended: homelab-server-02")).to_be_visible()
    expect(page.get_by_role("radio", name="nas")).to_be_disabled()

    page.get_by_role("radio", name="homelab-server-01").check()
    page.get_by_role("button", name="Deploy to homelab-server-01").click()
    page.wait_for_url(f"{site.url}/runs/**")

    server = Server.objects.get(name="blog")
    assert (server.device.name, server.config["php_version"]) == ("homelab-server-01", "8.2")
    assert server.config["include_redis"] is False


def test_going_back_loses_nothing(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/provision/{factories.TYPE}/")
    page.get_by_label("Server Name").fill("blog")
    page.get_by_label("Database Engine").select_option("mariadb")
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("link", name="Back").click()

    expect(page.get_by_label("Server Name")).to_have_value("blog")
    expect(page.get_by_label("Database Engine")).to_have_value("mariadb")


def test_options_appear_with_the_option_they_depend_on(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/provision/{factories.TYPE}/")
    expect(page.locator("summary", has_text="PostgreSQL")).to_be_visible()

    page.get_by_label("Database Engine").select_option("mariadb")

    expect(page.locator("summary", has_text="PostgreSQL")).to_be_hidden()
    expect(page.locator("summary", has_text="MariaDB")).to_be_visible()


def test_a_worker_names_its_servers_from_those_there_are(page: Page, site: Site) -> None:
    there = {"device": Device.objects.first(), "status": Server.Status.ACTIVE, "secrets": {}}
    Server.objects.create(name="books", server_type="database-server", **there)
    Server.objects.create(name="fast", server_type="cache-server", **there)
    page.goto(f"{site.url}/provision/laravel-worker-server/")
    page.get_by_label("Server Name").fill("jobs")
    page.get_by_role("button", name="Provision Server").click()
    expect(page.locator("#field-database_server .wrong")).to_be_visible()
    assert page.get_by_label("Database server", exact=True).locator("option").all_inner_texts() == [
        "Choose one",
        "books",
    ]

    page.get_by_label("Database server", exact=True).select_option("books")
    page.get_by_label("Cache server", exact=True).select_option("fast")
    expect(page.get_by_label("Queues", exact=True)).to_be_visible()
    page.get_by_label("Run Laravel Horizon").check()
    expect(page.get_by_label("Queues", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("button", name="Deploy to homelab-server-02").click()
    page.wait_for_url(f"{site.url}/runs/**")
    config = Server.objects.get(name="jobs").config
    assert (config["database_server"], config["cache_server"]) == ("books", "fast")


def test_a_cache_server_that_is_not_used_need_not_be_named(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/provision/laravel-worker-server/")
    expect(page.get_by_label("Cache server", exact=True)).to_be_visible()
    page.get_by_label("Use a cache server").uncheck()
    expect(page.get_by_label("Cache server", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Provision Server").click()
    expect(page.locator("#field-database_server .wrong")).to_be_visible()
    expect(page.locator("#field-cache_server")).to_be_hidden()


def test_networks_are_typed_with_commas(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/provision/cache-server/")
    page.get_by_label("Server Name").fill("fast")
    page.locator("summary", has_text="Remote access").click()
    networks = page.get_by_label("Networks that may connect")
    networks.fill("10.0.0.0/8, 192.168.1.7/24")
    page.get_by_role("button", name="Provision Server").click()
    expect(page.locator("#field-allowed_networks .wrong")).to_contain_text('write "192.168.1.0/24" for all of it')
    networks.fill("10.0.0.0/8, 192.168.1.0/24")
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("button", name="Deploy to homelab-server-02").click()
    page.wait_for_url(f"{site.url}/runs/**")
    assert Server.objects.get(name="fast").config["allowed_networks"] == ["10.0.0.0/8", "192.168.1.0/24"]


def test_the_last_button_pressed_twice_makes_one_run(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/provision/{factories.TYPE}/")
    page.get_by_label("Server Name").fill("blog")
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("button", name="Deploy to homelab-server-02").dblclick()
    page.wait_for_url(f"{site.url}/runs/**")

    assert Run.objects.count() == 1
