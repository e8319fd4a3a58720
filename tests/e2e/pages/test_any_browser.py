"""The web pages in a browser without JavaScript, and in one as narrow as a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from forgelab.devices.models import Device
from forgelab.runs.models import Run
from tests import factories
from tests.e2e.browser import IN_A_BROWSER, Site, Worker, log_in

pytestmark = IN_A_BROWSER


def test_everything_works_without_javascript(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, site, "ada", "correct horse battery")
    page.goto(f"{site.url}/provision/{factories.TYPE}/")
    page.get_by_label("Server Name").fill("blog")
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("button", name="Deploy").click()
    page.wait_for_url(f"{site.url}/runs/**")

    worker = Worker(Run.objects.get())
    first = worker.run.steps.first()
    worker.begin(first.role)
    worker.finish(first.role, 18)
    expect(page.locator(".steps li").first).to_contain_text("18 seconds")
    worker.end(Run.Status.SUCCEEDED)
    page.get_by_role("link", name="Show the server").click()
    page.get_by_role("button", name="Show the credentials").click()
    expect(page.locator("[data-value]").nth(3)).not_to_contain_text("•")
    context.close()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/provision/",
        f"/provision/{factories.TYPE}/",
        "/servers/",
        "/devices/",
        "/add-device/",
        "/add-device/key/",
        "/runs/",
    ],
)
def test_no_page_is_wider_than_a_phone(page: Page, site: Site, path: str) -> None:
    factories.run(Device.objects.first(), server=factories.server(Device.objects.first(), "a" * 63))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(site.url + path)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
