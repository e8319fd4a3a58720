"""The live page as it is served, the log, and cancelling."""

from __future__ import annotations

import uuid
from urllib.parse import unquote

import pytest
from django.http import HttpResponse
from django.test import Client

from forgelab.devices.models import Device
from forgelab.runs.models import Event, Run
from tests import factories
from tests.web.pages import text


def test_the_page_is_complete_without_javascript(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.RUNNING, server=factories.server(best, status="provisioning"))

    response = web.get(f"/runs/{run.pk}/")
    page = text(response)

    assert "Provisioning laravel-production… Running on homelab-server-02" in page
    assert "Setting up Nginx (3/9) done 5 seconds" in page
    assert "Setting up PHP 8.2 (4/9) … running" in page
    assert "Progress: 33%" in page
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in response.content.decode()
    assert "Yes, cancel this run" in page
    assert "TASK [nginx : Put the configuration in place] changed: [homelab-server-02]" in page


def test_the_stream_begins_where_the_page_ends(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.RUNNING)

    page = web.get(f"/runs/{run.pk}/").content.decode()

    assert f'sse-connect="/runs/{run.pk}/stream/" sse-close="end" data-after="2"' in page


def test_a_failed_run_shows_the_failing_tasks_message_and_the_way_out(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.FAILED, server=factories.server(best, status="failed"))

    page = text(web.get(f"/runs/{run.pk}/"))

    assert "Choose PHP 8.2, which Debian 12 carries." in page
    assert "Reprovision" in page
    assert "cancel" not in page.lower()


def test_a_finished_run_is_not_asked_about_again(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.SUCCEEDED, server=factories.server(best))

    page = web.get(f"/runs/{run.pk}/").content.decode()

    assert "run.js" not in page
    assert "sse-connect" not in page
    assert "http-equiv" not in page
    assert "/servers/laravel-production/ready/" in page


def test_a_lost_run_leads_to_the_one_that_repeats_it(web: Client, best: Device) -> None:
    lost = factories.run(best, Run.Status.LOST, status_detail="Its worker died.")
    repeat = factories.run(best, Run.Status.QUEUED, retry_of=lost)

    page = web.get(f"/runs/{lost.pk}/")

    assert "Its worker died." in text(page)
    assert f'href="/runs/{repeat.pk}/"' in page.content.decode()


def after(web: Client, run: Run) -> HttpResponse:
    """What htmx gets when the run's stream ends."""
    return web.get(f"/runs/{run.pk}/next/", headers={"HX-Request": "true"})


def test_the_page_goes_on_to_what_the_run_has_made(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.SUCCEEDED, server=factories.server(best))

    assert after(web, run).headers["HX-Redirect"] == "/servers/laravel-production/ready/"
    assert web.get(f"/runs/{run.pk}/next/").headers["Location"] == "/servers/laravel-production/ready/"


def test_the_page_of_a_lost_run_goes_on_to_the_one_that_repeats_it(web: Client, best: Device) -> None:
    lost = factories.run(best, Run.Status.LOST)
    repeat = factories.run(best, Run.Status.QUEUED, retry_of=lost)

    assert after(web, lost).headers["HX-Redirect"] == f"/runs/{repeat.pk}/"


def test_the_page_of_a_failed_run_is_shown_again_with_its_reason(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.FAILED, server=factories.server(best, status="failed"))

    assert after(web, run).headers["HX-Redirect"] == f"/runs/{run.pk}/"


def test_the_page_of_a_run_that_goes_on_stays(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.RUNNING)

    assert after(web, run).status_code == 204
    assert web.get(f"/runs/{run.pk}/next/").headers["Location"] == f"/runs/{run.pk}/"
    assert web.get(f"/runs/{uuid.uuid4()}/next/").status_code == 404


def test_a_session_that_ended_leads_the_whole_page_to_the_login_and_back(client: Client, best: Device) -> None:
    address = f"/runs/{factories.run(best, Run.Status.RUNNING).pk}/next/"

    answer = client.get(address, headers={"HX-Request": "true"}, follow=True)

    assert unquote(answer.headers["HX-Redirect"]) == f"/login/?next={address}"


def test_a_run_that_does_not_exist_is_not_found(web: Client) -> None:
    assert web.get(f"/runs/{uuid.uuid4()}/").status_code == 404


def test_cancelling_a_queued_run_ends_it(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.QUEUED)

    response = web.post(f"/runs/{run.pk}/cancel/", follow=True)

    assert "Cancelled before it began." in text(response)


def test_cancelling_a_running_run_says_that_it_is_stopping(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.RUNNING)

    assert "Stopping" in text(web.post(f"/runs/{run.pk}/cancel/", follow=True))


def test_cancelling_a_finished_run_says_why_not(web: Client, best: Device) -> None:
    run = factories.run(best, Run.Status.SUCCEEDED)

    assert "already ended: it succeeded" in text(web.post(f"/runs/{run.pk}/cancel/", follow=True))


def test_a_link_cannot_cancel(web: Client, best: Device) -> None:
    assert web.get(f"/runs/{factories.run(best).pk}/cancel/").status_code == 405


def test_the_log_is_plain_text_without_colour_codes(web: Client, best: Device) -> None:
    run = factories.run(best)
    Event.objects.filter(counter=2).update(stdout="\x1b[0;33mchanged: [homelab]\x1b[0m\r\n<b>bold</b>")

    response = web.get(f"/runs/{run.pk}/log/")

    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().endswith("changed: [homelab]\n<b>bold</b>\n")


def test_output_of_a_device_is_never_markup(web: Client, best: Device) -> None:
    run = factories.run(best)
    Event.objects.filter(counter=2).update(stdout="<script>alert(1)</script>")

    assert "<script>alert" not in web.get(f"/runs/{run.pk}/").content.decode()


def test_a_long_run_shows_only_its_latest_events(web: Client, best: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forgelab.web.views.runs.LOG_EVENTS", 1)

    page = text(web.get(f"/runs/{factories.run(best).pk}/"))

    assert "Only the latest events are shown here" in page
