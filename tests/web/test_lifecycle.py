"""The pages to change a server, to see and apply its plan, to compare it, and to take it down."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from forgelab.devices.models import Device
from forgelab.runs.models import Event, Run
from forgelab.servers.models import Server
from tests import factories
from tests.web.pages import field, text

PAGE = "/servers/laravel-production/"


@pytest.fixture
def server(best: Device) -> Server:
    made = factories.server(best)
    made.managed = {"redis": {"units": ["redis-server.service"]}, "postgresql": {"units": ["postgresql.service"]}}
    made.save()
    return made


def answers(server: Server, **changes: object) -> dict[str, object]:
    """The form of the options as a browser sends it."""
    config = {**server.config, **changes}
    return {
        name: "on" if value is True else value for name, value in config.items() if value is not False and value != []
    }


def finished(run: Run, *files: str) -> Run:
    for counter, path in enumerate(files, start=1):
        Event.objects.create(
            run=run, counter=counter, kind="runner_on_ok", role="nginx", task="Configure", changed=True,
            result={"changed_files": [path], "diff": [{"path": path, "text": "-<b>old</b>\n+new\n"}]},
            created_at=timezone.now(),
        )  # fmt: skip
    Run.objects.filter(pk=run.pk).update(status="succeeded", finished_at=timezone.now())
    run.refresh_from_db()
    return run


@pytest.fixture
def plan(web: Client, server: Server) -> Run:
    web.post(f"{PAGE}options/", answers(server, php_version="8.4") | {"plan": "yes"})
    return finished(Run.objects.get(kind="server.plan"), "/etc/nginx/nginx.conf")


def test_the_form_has_the_options_as_they_are(web: Client, server: Server) -> None:
    page = web.get(f"{PAGE}options/")
    assert '<option value="8.2" selected' in page.content.decode()


def test_what_would_change_is_asked_without_changing_anything(web: Client, server: Server) -> None:
    answer = web.post(f"{PAGE}options/", answers(server, php_version="8.4") | {"plan": "yes"})
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert (run.kind, run.request["config"]["php_version"]) == ("server.plan", "8.4")
    assert Server.objects.get().config["php_version"] == "8.2"


def test_the_change_is_applied_at_once_when_asked(web: Client, server: Server) -> None:
    web.post(f"{PAGE}options/", answers(server, php_version="8.4") | {"apply": "yes"})
    assert Run.objects.get().kind == "server.provision"
    assert Server.objects.get().config["php_version"] == "8.4"


def test_a_wrong_option_is_told_beside_its_field_and_the_rest_is_kept(web: Client, server: Server) -> None:
    answer = web.post(f"{PAGE}options/", answers(server, upload_max_mb=0, php_version="8.4") | {"apply": "yes"})
    assert answer.status_code == 422
    assert "1" in field(answer, "upload_max_mb")
    assert '<option value="8.4" selected' in answer.content.decode()
    assert not Run.objects.exists()


def test_a_database_is_not_taken_away_by_one_click(web: Client, server: Server) -> None:
    change = answers(server, database_engine="mariadb") | {"apply": "yes"}
    answer = web.post(f"{PAGE}options/", change)
    assert answer.status_code == 422
    assert "Type the server's name to confirm" in text(answer)
    again = web.post(f"{PAGE}options/", change | {"confirm": "laravel-production"})
    assert "no verified backup of the last 24 hours" in text(again)
    assert not Run.objects.exists()


def test_a_plan_shows_each_change_with_its_diff(web: Client, plan: Run) -> None:
    page = web.get(f"/runs/{plan.pk}/plan/")
    assert "1 change in 1 step" in text(page)
    assert "php_version 8.2 → 8.4" in text(page)
    assert "file /etc/nginx/nginx.conf" in text(page)
    assert '<span class="gone">-&lt;b&gt;old&lt;/b&gt;' in page.content.decode()
    assert factories.SECRET not in page.content.decode()


def test_a_plan_is_applied_from_its_page(web: Client, plan: Run) -> None:
    answer = web.post(f"/runs/{plan.pk}/plan/")
    run = Run.objects.get(kind="server.provision")
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert run.request["config"] == plan.request["config"]


def test_a_plan_that_is_no_longer_true_has_no_button(web: Client, plan: Run) -> None:
    Server.objects.update(config={})
    page = web.get(f"/runs/{plan.pk}/plan/")
    assert "Make a new plan" in text(page)
    assert "<button" not in page.content.decode().split("<main")[1]
    assert web.post(f"/runs/{plan.pk}/plan/").status_code == 422


def test_a_plan_without_changes_says_so_and_offers_nothing(web: Client, server: Server) -> None:
    web.post(f"{PAGE}compare/")
    run = finished(Run.objects.get())
    page = web.get(f"/runs/{run.pk}/plan/")
    assert "No changes" in text(page)
    assert "Apply" not in text(page)


def test_the_page_of_a_plans_run_leads_to_what_it_found(web: Client, server: Server) -> None:
    web.post(f"{PAGE}compare/")
    run = Run.objects.get()
    assert f'data-ready="/runs/{run.pk}/plan/"' in web.get(f"/runs/{run.pk}/").content.decode()
    finished(run)
    assert "Show what would change" in text(web.get(f"/runs/{run.pk}/"))
    assert web.get(f"/runs/{run.pk}/plan/").status_code == 200


def test_provisioning_again_is_one_click(web: Client, server: Server) -> None:
    web.post(f"{PAGE}repair/")
    assert Run.objects.get().request["config"] == server.config


def test_drift_is_shown_on_the_servers_page_and_in_the_lists(web: Client, server: Server) -> None:
    assert "Not since it was provisioned" in text(web.get(PAGE))
    Server.objects.update(drift_count=3, drift_since=timezone.now(), drift_checked_at=timezone.now())
    assert "3 differences from its plan" in text(web.get(PAGE))
    assert "Provision it again to repair" in text(web.get(PAGE))
    for page in ("/", "/servers/"):
        assert "3 differences from its plan" in text(web.get(page))


def test_the_daily_look_is_turned_off_and_on(web: Client, server: Server) -> None:
    web.post(f"{PAGE}watch/", {"watch": "off"})
    assert not Server.objects.get().drift_watch
    web.post(f"{PAGE}watch/", {"watch": "on"})
    assert Server.objects.get().drift_watch


def test_what_the_latest_run_left_undone_is_told(web: Client, server: Server) -> None:
    Server.objects.update(status_detail="Provisioning it again failed. Nothing was changed.")
    assert "Nothing was changed" in text(web.get(PAGE))
    assert "The latest run did not succeed" in text(web.get("/servers/"))


def test_a_server_is_taken_down_by_its_typed_name(web: Client, server: Server) -> None:
    page = f"{PAGE}decommission/"
    assert "remove laravel-production without a backup" in text(web.get(page))
    assert web.post(page, {"confirm": "laravel"}).status_code == 422
    assert not Run.objects.exists()
    sure = {"confirm": "laravel-production", "without_backup": "remove laravel-production without a backup"}
    answer = web.post(page, sure)
    run = Run.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    assert 'data-ready="/servers/"' in web.get(f"/runs/{run.pk}/").content.decode()


def test_a_server_is_forgotten_after_a_warning(web: Client, server: Server) -> None:
    page = f"{PAGE}decommission/"
    assert "Nothing on homelab-server-02 is touched" in text(web.get(page))
    assert web.post(page, {"forget": "yes", "confirm": "x"}).status_code == 422
    assert web.post(page, {"forget": "yes", "confirm": "laravel-production"}).status_code == 302
    assert not Server.objects.exists()


def test_nothing_is_done_by_following_a_link(web: Client, server: Server) -> None:
    for action in ("repair", "compare", "watch"):
        assert web.get(f"{PAGE}{action}/").status_code == 405


def test_all_of_it_needs_a_login(client: Client, server: Server) -> None:
    for action in ("options", "repair", "compare", "watch", "decommission"):
        assert client.post(f"{PAGE}{action}/").status_code == 302
    assert not Run.objects.exists()
