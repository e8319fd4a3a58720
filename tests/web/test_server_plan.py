"""A plan's page, and applying it."""

from __future__ import annotations

import pytest
from django.test import Client

from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.servers.models import Server
from tests import factories
from tests.web.changes import PAGE, answers, finished, managed_server
from tests.web.pages import text


@pytest.fixture
def server(best: Device) -> Server:
    return managed_server(best)


@pytest.fixture
def plan(web: Client, server: Server) -> Run:
    web.post(f"{PAGE}change/", answers(server, php_version="8.4") | {"plan": "yes"})
    return finished(Run.objects.get(kind="server.plan"), "/etc/nginx/nginx.conf")


def test_a_plan_shows_each_change_with_its_diff(web: Client, plan: Run) -> None:
    page = web.get(f"/runs/{plan.pk}/plan/")
    assert "1 change in 1 step" in text(page)
    assert "php_version 8.2 → 8.4" in text(page)
    assert "file /etc/nginx/nginx.conf" in text(page)
    assert '<span class="gone">-&lt;b&gt;old&lt;/b&gt;' in page.content.decode()
    assert factories.SECRET not in page.content.decode()


def test_a_plan_is_applied_from_its_page(web: Client, plan: Run) -> None:
    answer = web.post(f"/runs/{plan.pk}/apply/")
    run = Run.objects.get(kind="server.provision")
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert run.request["config"] == plan.request["config"]


def test_a_plan_that_is_no_longer_true_has_no_button(web: Client, plan: Run) -> None:
    Server.objects.update(config={})
    page = web.get(f"/runs/{plan.pk}/plan/")
    assert "Make a new plan" in text(page)
    assert "<button" not in page.content.decode().split("<main")[1]
    assert web.post(f"/runs/{plan.pk}/apply/").status_code == 422


def test_a_plan_without_changes_says_so_and_offers_nothing(web: Client, server: Server) -> None:
    web.post(f"{PAGE}drift-check/")
    run = finished(Run.objects.get())
    page = web.get(f"/runs/{run.pk}/plan/")
    assert "No changes" in text(page)
    assert "Apply" not in text(page)


def test_the_page_of_a_plans_run_leads_to_what_it_found(web: Client, server: Server) -> None:
    web.post(f"{PAGE}drift-check/")
    run = Run.objects.get()
    finished(run)
    assert web.get(f"/runs/{run.pk}/next/").headers["Location"] == f"/runs/{run.pk}/plan/"
    assert "Show what would change" in text(web.get(f"/runs/{run.pk}/"))
    assert web.get(f"/runs/{run.pk}/plan/").status_code == 200
