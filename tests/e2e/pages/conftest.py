"""A browser, the web pages under a real address, and a page of them that has logged in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from forgelab.accounts.models import User
from tests import factories
from tests.e2e.browser import Site, chromium, log_in


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
    with pytest.MonkeyPatch.context() as patch, chromium() as browser:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield browser


@pytest.fixture
def site(transactional_db: None, monkeypatch: pytest.MonkeyPatch, enqueued: list[str]) -> Iterator[Site]:
    monkeypatch.setattr("forgelab.web.device_ranking.device_observe", lambda device: device)
    factories.devices()
    User.objects.create_superuser("ada", password="correct horse battery")
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
    """A page that has logged in. Whatever its console complains of, such as a blocked script, fails the test.

    But for connections that a test cuts: the browser's words for that, and htmx's.
    """
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" and not _is_cut(m.text) else None)
    log_in(page, site, "ada", "correct horse battery")
    yield page
    assert complaints == []


def _is_cut(complaint: str) -> bool:
    return "Failed to load" in complaint or complaint == "[object Event]"
