"""A server's credentials in a real Chromium: copied without being shown, shown, and hidden again."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from forgelab.devices.models import Device
from tests import factories
from tests.e2e.browser import IN_A_BROWSER, Site

pytestmark = IN_A_BROWSER


@pytest.mark.parametrize("secure", [True, False], ids=["localhost", "plain http on a LAN"])
def test_a_password_is_copied_without_being_shown(
    page: Page, site: Site, context: BrowserContext, secure: bool
) -> None:
    factories.server(Device.objects.get(name="homelab-server-02"))
    if secure:
        context.grant_permissions(["clipboard-write"])
    else:  # what a browser is like there
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto(f"{site.url}/servers/laravel-production/ready/")
    assert factories.SECRET not in page.content()

    page.get_by_role("button", name="Copy Database Credentials: Password").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert factories.SECRET not in page.content()

    page.goto(f"{site.url}/add-device/key/")
    page.get_by_label("Address").focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Address")).to_have_value(factories.SECRET)


def test_a_password_is_shown_and_hidden_again(page: Page, site: Site) -> None:
    factories.server(Device.objects.get(name="homelab-server-02"))
    page.goto(f"{site.url}/servers/laravel-production/")

    show = page.get_by_role("button", name="Show Database Credentials: Password")
    show.click()
    expect(page.get_by_text(factories.SECRET, exact=True)).to_be_visible()
    show.click()
    expect(page.get_by_text(factories.SECRET, exact=True)).to_have_count(0)
