"""Changing a server's options, and reprovisioning it."""

from __future__ import annotations

import pytest
from django.test import Client

from forgelab.devices.models import Device
from forgelab.runs.models import Run
from forgelab.servers.models import Server
from tests.web.changes import PAGE, answers, managed_server
from tests.web.pages import field, text


@pytest.fixture
def server(best: Device) -> Server:
    return managed_server(best)


def test_the_form_has_the_options_as_they_are(web: Client, server: Server) -> None:
    page = web.get(f"{PAGE}change/")
    assert '<option value="8.2" selected' in page.content.decode()


def test_what_would_change_is_asked_without_changing_anything(web: Client, server: Server) -> None:
    answer = web.post(f"{PAGE}change/", answers(server, php_version="8.4") | {"plan": "yes"})
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert (run.kind, run.request["config"]["php_version"]) == ("server.plan", "8.4")
    assert Server.objects.get().config["php_version"] == "8.2"


def test_the_change_is_applied_at_once_when_asked(web: Client, server: Server) -> None:
    web.post(f"{PAGE}change/", answers(server, php_version="8.4") | {"apply": "yes"})
    assert Run.objects.get().kind == "server.provision"
    assert Server.objects.get().config["php_version"] == "8.4"


def test_a_wrong_option_is_reported_beside_its_field_and_the_rest_is_kept(web: Client, server: Server) -> None:
    answer = web.post(f"{PAGE}change/", answers(server, upload_max_mb=0, php_version="8.4") | {"apply": "yes"})
    assert answer.status_code == 422
    assert "1" in field(answer, "upload_max_mb")
    assert '<option value="8.4" selected' in answer.content.decode()
    assert not Run.objects.exists()


def test_a_database_is_not_removed_by_one_click(web: Client, server: Server) -> None:
    change = answers(server, database_engine="mariadb") | {"apply": "yes"}
    answer = web.post(f"{PAGE}change/", change)
    assert answer.status_code == 422
    assert "Type the server's name to confirm" in text(answer)
    again = web.post(f"{PAGE}change/", change | {"confirm": "laravel-production"})
    assert "no verified backup of the last 24 hours" in text(again)
    assert not Run.objects.exists()


def test_reprovisioning_is_one_click(web: Client, server: Server) -> None:
    web.post(f"{PAGE}reprovision/")
    assert Run.objects.get().request["config"] == server.config


def test_no_link_starts_it(web: Client, server: Server) -> None:
    assert web.get(f"{PAGE}reprovision/").status_code == 405
    assert not Run.objects.exists()


def test_what_the_latest_run_left_undone_is_reported(web: Client, server: Server) -> None:
    Server.objects.update(status_detail="Provisioning it again failed. Nothing was changed.")
    assert "Nothing was changed" in text(web.get(PAGE))
    assert "The latest run did not succeed" in text(web.get("/servers/"))
