"""The web pages in a real Chromium: login, the wizard, the live page, the success page; with and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from forgelab.accounts.models import User
from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.runs.services import run_repeat
from forgelab.servers.models import Server
from tests.e2e.browser import CHROMIUM, Site, Worker, chromium, log_in
from tests.web import homelab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists(), reason=f"no browser here: {CHROMIUM} is missing (apt install chromium)"
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
    with pytest.MonkeyPatch.context() as patch, chromium() as browser:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield browser


@pytest.fixture
def site(transactional_db: None, monkeypatch: pytest.MonkeyPatch, no_bell: list[str]) -> Iterator[Site]:
    monkeypatch.setattr("forgelab.web.analysis.device_refresh", lambda device: device)
    homelab.devices()
    User.objects.create_user("ada", password="correct horse battery")
    site = Site()
    site.start()
    yield site
    site.stop()


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    """A page that has logged in. Whatever its console complains of, such as a blocked script, fails the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda m: complaints.append(m.text) if m.type == "error" and "Failed to load" not in m.text else None
    )
    log_in(page, site, "ada", "correct horse battery")
    yield page
    assert complaints == []


def complaint(message: ConsoleMessage) -> list[str]:
    """An error, unless it only repeats the status of an answer."""
    return [message.text] if message.type == "error" and "Failed to load" not in message.text else []


def provision(page: Page, site: Site, name: str = "blog") -> Worker:
    """Through the wizard to the live page."""
    page.goto(f"{site.url}/provision/")
    page.get_by_role("link", name="Laravel App Server").click()
    page.get_by_label("Server Name").fill(name)
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("button", name="Deploy to homelab-server-02").click()
    page.wait_for_url(f"{site.url}/runs/**")
    return Worker(Run.objects.get(title__contains=name))


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
    page.goto(f"{site.url}/provision/{homelab.TYPE}/")
    page.get_by_label("Server Name").fill("blog")
    page.get_by_label("Database Engine").select_option("mariadb")
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("link", name="Back").click()

    expect(page.get_by_label("Server Name")).to_have_value("blog")
    expect(page.get_by_label("Database Engine")).to_have_value("mariadb")


def test_options_appear_with_the_option_they_depend_on(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/provision/{homelab.TYPE}/")
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
    page.goto(f"{site.url}/provision/{homelab.TYPE}/")
    page.get_by_label("Server Name").fill("blog")
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("button", name="Deploy to homelab-server-02").dblclick()
    page.wait_for_url(f"{site.url}/runs/**")

    assert Run.objects.count() == 1


def test_steps_advance_live_up_to_the_success_page(page: Page, site: Site) -> None:
    worker = provision(page, site)
    first = worker.run.steps.first()

    worker.begin(first.role)
    expect(page.locator(".steps [aria-current=step]")).to_contain_text(f"{first.title} (1/")
    worker.finish(first.role, 18)
    expect(page.locator(".steps li").first).to_contain_text("18 seconds")
    expect(page.locator(".bar output")).not_to_have_text("0%")
    page.get_by_text("Ansible's output").click()
    expect(page.locator("#log")).to_contain_text(f"changed: [{first.role}]")

    worker.end(Run.Status.SUCCEEDED)
    page.wait_for_url(f"{site.url}/servers/blog/ready/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Laravel App Server Ready!")


def test_a_lost_connection_and_a_reload_lose_no_line_and_double_none(page: Page, site: Site) -> None:
    worker = provision(page, site)
    worker.begin("nginx")
    page.get_by_text("Ansible's output").click()
    for line in ("one", "two"):
        worker.say(line)
    expect(page.locator("#log span")).to_have_text(["one", "two"])

    site.stop()
    expect(page.get_by_text("The connection was lost.")).to_be_visible()
    worker.say("three")
    site.start()
    expect(page.locator("#log span")).to_have_text(["one", "two", "three"], timeout=20_000)
    expect(page.get_by_text("The connection was lost.")).to_be_hidden()

    page.reload()
    worker.say("four")
    expect(page.locator("#log span")).to_have_text(["one", "two", "three", "four"])


def test_a_failure_is_shown_with_the_way_out(page: Page, site: Site) -> None:
    worker = provision(page, site)
    worker.begin("php")
    worker.end(Run.Status.FAILED, homelab.WHY)

    expect(page.get_by_text(homelab.WHY)).to_be_visible()
    page.get_by_role("link", name="Provision again").click()
    expect(page.get_by_label("Server Name")).to_have_value("blog")


def test_a_lost_run_is_followed_to_the_one_that_repeats_it(page: Page, site: Site) -> None:
    worker = provision(page, site)
    worker.begin("php")
    repeat = run_repeat(run=worker.run)
    worker.end(Run.Status.LOST, "Its worker died.")

    page.wait_for_url(f"{site.url}/runs/{repeat.pk}/")


def test_cancelling_asks_first(page: Page, site: Site) -> None:
    provision(page, site)
    page.get_by_text("Cancel", exact=True).click()
    page.get_by_role("button", name="Yes, cancel this run").click()

    expect(page.get_by_text("Cancelled before it began.")).to_be_visible()


@pytest.mark.parametrize("secure", [True, False], ids=["localhost", "plain http on a LAN"])
def test_a_password_is_copied_without_being_shown(
    page: Page, site: Site, context: BrowserContext, secure: bool
) -> None:
    homelab.server(homelab.Device.objects.get(name="homelab-server-02"))
    if secure:
        context.grant_permissions(["clipboard-write"])
    else:  # what a browser is like there
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto(f"{site.url}/servers/laravel-production/ready/")
    assert homelab.SECRET not in page.content()

    page.get_by_role("button", name="Copy Database Credentials: Password").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert homelab.SECRET not in page.content()

    page.goto(f"{site.url}/add-device/key/")
    page.get_by_label("Address").focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Address")).to_have_value(homelab.SECRET)


def test_a_password_is_shown_and_hidden_again(page: Page, site: Site) -> None:
    homelab.server(homelab.Device.objects.get(name="homelab-server-02"))
    page.goto(f"{site.url}/servers/laravel-production/")

    show = page.get_by_role("button", name="Show Database Credentials: Password")
    show.click()
    expect(page.get_by_text(homelab.SECRET, exact=True)).to_be_visible()
    show.click()
    expect(page.get_by_text(homelab.SECRET, exact=True)).to_have_count(0)


def test_everything_works_without_javascript(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, site, "ada", "correct horse battery")
    page.goto(f"{site.url}/provision/{homelab.TYPE}/")
    page.get_by_label("Server Name").fill("blog")
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url(f"{site.url}/runs/**")

    worker = Worker(Run.objects.get())
    first = worker.run.steps.first()
    worker.begin(first.role)
    worker.finish(first.role, 18)
    expect(page.locator(".steps li").first).to_contain_text("18 seconds", timeout=10_000)
    worker.end(Run.Status.SUCCEEDED)
    page.get_by_role("link", name="Show the server").click(timeout=10_000)
    page.get_by_role("button", name="Show the credentials").click()
    expect(page.locator("[data-value]").nth(3)).not_to_contain_text("•")
    context.close()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/provision/",
        f"/provision/{homelab.TYPE}/",
        "/servers/",
        "/devices/",
        "/add-device/",
        "/add-device/key/",
        "/runs/",
    ],
)
def test_no_page_is_wider_than_a_phone(page: Page, site: Site, path: str) -> None:
    homelab.run(homelab.Device.objects.first(), server=homelab.server(homelab.Device.objects.first(), "a" * 63))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(site.url + path)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
