"""The live page in a real Chromium: steps and lines as they come, a lost connection, and every way a run ends."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from forgelab.runs.models import Run
from forgelab.runs.services import run_repeat
from tests import factories
from tests.e2e.browser import IN_A_BROWSER, Site, Worker

pytestmark = IN_A_BROWSER


def provision(page: Page, site: Site, name: str = "blog") -> Worker:
    """Through the wizard to the live page."""
    page.goto(f"{site.url}/provision/")
    page.get_by_role("link", name="Laravel App Server").click()
    page.get_by_label("Server Name").fill(name)
    page.get_by_role("button", name="Provision Server").click()
    page.get_by_role("button", name="Deploy to homelab-server-02").click()
    page.wait_for_url(f"{site.url}/runs/**")
    return Worker(Run.objects.get(title__contains=name))


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
    expect(page.locator("#log span")).to_have_text(["one", "two", "three"])
    expect(page.get_by_text("The connection was lost.")).to_be_hidden()

    page.reload()
    worker.say("four")
    expect(page.locator("#log span")).to_have_text(["one", "two", "three", "four"])


def test_a_failure_is_shown_with_the_way_out(page: Page, site: Site) -> None:
    worker = provision(page, site)
    worker.begin("php")
    worker.end(Run.Status.FAILED, factories.WHY)

    expect(page.get_by_text(factories.WHY)).to_be_visible()
    page.get_by_role("link", name="Reprovision").click()
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
