"""Every page: who may see it, what it says, what it must not hold."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from forgelab.accounts.models import User
from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.servers.models import Server
from tests import factories
from tests.web.pages import text

PAGES = (
    "/", "/provision/", "/provision/laravel-app-server/", "/servers/", "/servers/laravel-production/",
    "/servers/laravel-production/ready/", "/devices/",
    "/add-device/", "/add-device/password/", "/add-device/key/", "/add-device/this-machine/",
    "/devices/homelab-server-02/", "/runs/",
)  # fmt: skip


@pytest.fixture
def server(best: Device) -> Server:
    made = factories.server(best)
    factories.run(best, Run.Status.SUCCEEDED, server=made)
    return made


@pytest.mark.parametrize("page", PAGES)
def test_every_page_asks_for_a_login_and_leads_back_after_it(client: Client, db: None, page: str) -> None:
    response = client.get(page)

    assert response.status_code == 302
    assert response.headers["Location"] == f"/login/?next={page}"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_works_and_holds_no_secret(web: Client, server: Server, page: str) -> None:
    response = web.get(page)

    assert response.status_code == 200
    assert factories.SECRET not in response.content.decode()
    assert factories.PRIVATE_KEY not in response.content.decode()


@pytest.mark.parametrize("page", ["/", "/login/", "/nowhere/", "/servers/laravel-production/"])
def test_every_answer_allows_nothing_from_elsewhere_and_nothing_inline(web: Client, server: Server, page: str) -> None:
    response = web.get(page)
    policy = response.headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("page", ["/", "/servers/laravel-production/", "/provision/laravel-app-server/"])
def test_pages_hold_no_inline_script_or_style(web: Client, server: Server, page: str) -> None:
    source = web.get(page).content.decode()

    assert " style=" not in source
    assert "<style" not in source
    assert " onclick=" not in source
    assert all('src="' in tag.split(">")[0] for tag in source.split("<script")[1:])


def test_a_page_that_does_not_exist_says_so_in_the_house_style(web: Client) -> None:
    response = web.get("/servers/nothing/")

    assert response.status_code == 404
    assert "There is no such page" in text(response)


def test_logging_in_leads_to_the_overview(client: Client, user: User) -> None:
    response = client.post("/login/", {"username": "ada", "password": "correct horse battery"})

    assert response.headers["Location"] == "/"


def test_a_wrong_password_keeps_the_name_and_says_what_is_wrong(client: Client, user: User) -> None:
    response = client.post("/login/", {"username": "ada", "password": "wrong"})

    assert 'value="ada"' in response.content.decode()
    assert "Please enter a correct username and password" in text(response)


def test_login_leads_to_no_other_site(client: Client, user: User) -> None:
    form = {"username": "ada", "password": "correct horse battery", "next": "https://elsewhere.example/"}

    assert client.post("/login/", form).headers["Location"] == "/"


def test_logging_out_ends_the_session(web: Client) -> None:
    web.post("/logout/")

    assert web.get("/").status_code == 302


def test_an_empty_homelab_shows_how_to_begin(web: Client) -> None:
    assert "Add the first device" in text(web.get("/"))


def test_the_overview_shows_what_runs_now_with_its_progress(web: Client, best: Device) -> None:
    factories.run(best, Run.Status.RUNNING, server=factories.server(best, status="provisioning"))

    page = text(web.get("/"))

    assert "Provisioning laravel-production Running on homelab-server-02 33%" in page


def test_runs_can_be_filtered_by_status(web: Client, best: Device) -> None:
    factories.run(best, Run.Status.FAILED, title="Provision shop")
    factories.run(best, Run.Status.SUCCEEDED, title="Provision blog")

    page = text(web.get("/runs/?status=failed"))

    assert "Provision shop" in page
    assert "Provision blog" not in page


def test_a_status_that_does_not_exist_filters_nothing(web: Client, best: Device) -> None:
    factories.run(best, Run.Status.FAILED, title="Provision shop")

    assert "Provision shop" in text(web.get("/runs/?status=nonsense&page=999"))


def test_lists_ask_the_database_a_fixed_number_of_times(web: Client, django_assert_max_num_queries: object) -> None:
    for number in range(12):
        device = factories.device(f"device-{number}")
        factories.run(device, Run.Status.SUCCEEDED, server=factories.server(device, f"server-{number}"))

    for page in ("/", "/servers/", "/devices/", "/runs/"):
        with django_assert_max_num_queries(12):
            web.get(page)


@pytest.mark.parametrize(("page", "part"), [("/devices/", "devices"), ("/", "running")])
def test_what_changes_on_a_page_is_renewed_and_only_when_it_has_changed(
    web: Client, best: Device, page: str, part: str
) -> None:
    htmx = {"HX-Request": "true"}
    asked = re.search(rf'<div id="{part}" hx-get="([^"]+)" hx-trigger="every 15s"', web.get(page).content.decode())
    assert asked
    assert web.get(asked[1], headers=htmx).status_code == 204

    Device.objects.update(status="unreachable")
    factories.run(best, Run.Status.RUNNING)
    renewed = web.get(asked[1], headers=htmx).content.decode()

    assert renewed.startswith(f'<div id="{part}" hx-get="')
    assert asked[1] not in renewed
    assert "<html" not in renewed
