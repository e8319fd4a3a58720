"""Asking for backups and restores, and what is known of them; on the command line, the API and the page alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from forgelab.accounts import services as accounts
from forgelab.accounts.actors import SYSTEM
from forgelab.cli import follow
from forgelab.cli.main import main
from forgelab.databases import backup_listing, backups
from forgelab.devices import ssh
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.servers.models import Component, Server

pytestmark = pytest.mark.django_db
MADE = "2026-11-21T02:00:03+01:00"


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "id": "20261121-020003", "engine": "postgresql", "version": "PostgreSQL 15.4", "database": "shop",
        "made_at": MADE, "size_bytes": 1_048_576, "seconds": 1.5, "sha256": "00", "verified": True, "damaged": "",
    } | changes  # fmt: skip


def told(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    complete = {"id": "20261121-020003", "made_at": MADE, "size_bytes": 2000, "databases": ["shop"]}
    return {"backups": list(entries), "complete": complete, "timer": {"next": "Sun 2026-11-22 02:00:31 CET"}} | more


@pytest.fixture
def server(provision: Callable[..., Run], end: Callable[..., Run]) -> Server:
    end(provision(), versions=[{"name": "backups", "title": "Backups", "version": "1.0"}])
    return Server.objects.get()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """What the device says when it is asked for its backups; an exception is raised."""

    def set_answer(answer: Any) -> None:
        def run_script(device: Any, script: str, **options: Any) -> str:
            assert options == {"root": True}
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, str) else json.dumps(answer)

        monkeypatch.setattr(ssh, "run_script", run_script)

    return set_answer


def test_a_backup_is_a_run_that_may_be_repeated(server: Server) -> None:
    run = backups.backup_create(server=server, databases=["shop"], actor=SYSTEM)
    plan = Plan.from_json(run.plan)
    assert (run.kind, run.subject_id, run.device, run.repeatable) == ("server.backup", server.pk, server.device, True)
    assert plan.roles[-1].variables == {"backup_now_databases": ["shop"]}
    assert [step.title for step in run.steps.all()] == ["Reading the device", "Backing up the databases"]


def test_a_restore_is_never_repeated_by_itself(server: Server) -> None:
    given = {"database": "shop", "at": "20261121-020003", "into": "shop2", "engine": "mysql"}
    run = backups.backup_restore(server=server, confirm="laravel", **given, actor=SYSTEM)
    assert not run.repeatable
    assert Plan.from_json(run.plan).roles[-1].variables == {f"backup_restore_{k}": v for k, v in given.items()}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"confirm": ""}, "confirm"),
        ({"confirm": "Laravel"}, "confirm"),
        ({"database": ""}, "database"),
        ({"database": "a\nb"}, "database"),
        ({"database": "x" * 65}, "database"),
        ({"into": "a\x00"}, "into"),
        ({"at": "yesterday"}, "at"),
        ({"at": "20261121-020003; rm"}, "at"),
        ({"engine": "oracle"}, "engine"),
    ],
)
def test_a_restore_that_is_not_clear_is_refused_by_field(server: Server, changes: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        backups.backup_restore(server=server, **({"database": "shop", "confirm": "laravel"} | changes), actor=SYSTEM)
    assert list(refused.value.message_dict) == [field]
    assert not Run.objects.filter(kind="server.restore").exists()


def test_a_hostile_name_stays_data(server: Server) -> None:
    name = "{{ 7*7 }} $(touch /x) ' -- x"
    run = backups.backup_restore(server=server, database=name, confirm="laravel", actor=SYSTEM)
    assert Plan.from_json(run.plan).roles[-1].variables["backup_restore_database"] == name


def test_two_at_once_are_refused_with_the_one_at_work(server: Server) -> None:
    run = backups.backup_create(server=server, actor=SYSTEM)
    with pytest.raises(ValidationError, match=f"forgelab run watch {str(run.pk)[:8]}"):
        backups.backup_restore(server=server, database="shop", confirm="laravel", actor=SYSTEM)


def test_a_server_without_backups_says_how_to_get_them(server: Server) -> None:
    Component.objects.filter(name="backups").delete()
    server.refresh_from_db()
    with pytest.raises(ValidationError, match="--name laravel --set include_backups=true"):
        backups.backup_create(server=server, actor=SYSTEM)


def test_what_a_run_made_is_known_at_once(server: Server, end: Callable[..., Run]) -> None:
    assert backups.last_backup(server) is None
    end(backups.backup_create(server=server, actor=SYSTEM), backups={"made": [entry()], "complete": told()["complete"]})
    last = backups.last_backup(server)
    assert last and (last.id, last.size_bytes, last.databases) == ("20261121-020003", 2000, ("shop",))
    assert last.finished_at.isoformat() == MADE
    known, read_at = backups.backups_known(server)
    assert [backup.database for backup in known.backups] == ["shop"] and read_at is None


def test_a_run_that_failed_in_part_adds_what_it_made_but_is_no_complete_backup(
    server: Server, end: Callable[..., Run]
) -> None:
    end(
        backups.backup_create(server=server, actor=SYSTEM),
        "failed",
        backups={"made": [entry()], "complete": told()["complete"]},
    )
    assert backups.last_backup(server) is None
    assert len(backups.backups_known(server)[0].backups) == 1


def test_a_run_that_failed_does_not_hide_the_complete_one_before(server: Server, end: Callable[..., Run]) -> None:
    end(backups.backup_create(server=server, actor=SYSTEM), backups={"made": [entry()], "complete": told()["complete"]})
    end(backups.backup_create(server=server, actor=SYSTEM), "failed", backups={"made": [], "complete": None})
    assert backups.last_backup(server).id == "20261121-020003"


def test_the_timers_backups_are_known_when_the_device_was_asked(
    server: Server, answers: Callable[[Any], None], end: Callable[..., Run]
) -> None:
    end(backups.backup_create(server=server, actor=SYSTEM), backups={"made": [entry()], "complete": told()["complete"]})
    night = entry(id="20261122-020003", made_at="2026-11-22T02:00:03+01:00")
    later = {"id": "20261122-020003", "made_at": night["made_at"], "size_bytes": 1, "databases": ["shop"]}
    answers(told(night, entry(damaged="its checksum", verified=False), complete=later))
    listing = backups.backup_refresh(server=server, actor=SYSTEM)
    assert [(b.id, b.verified) for b in listing.backups] == [("20261122-020003", True), ("20261121-020003", False)]
    assert backups.last_backup(server).id == "20261122-020003"
    assert backups.backups_known(server)[0] == listing


def test_a_backup_that_is_gone_from_the_device_is_gone_here(server: Server, answers: Callable[[Any], None]) -> None:
    answers(told(entry()))
    backups.backup_refresh(server=server, actor=SYSTEM)
    answers("")  # the program itself is gone
    assert backups.backup_refresh(server=server, actor=SYSTEM).backups == ()
    assert backups.last_backup(server) is None


@pytest.mark.parametrize("answer", ["not JSON", RuntimeError("sudo: a password is required")])
def test_an_answer_that_is_none_is_reported_and_what_was_known_stays(
    server: Server, answers: Callable[[Any], None], answer: Any
) -> None:
    answers(told(entry()))
    backups.backup_refresh(server=server, actor=SYSTEM)
    answers(answer)
    with pytest.raises(ValidationError, match="could not list its backups"):
        backups.backup_refresh(server=server, actor=SYSTEM)
    assert len(backups.backups_known(server)[0].backups) == 1


def test_refreshing_all_passes_over_devices_that_are_off(server: Server, answers: Callable[[Any], None]) -> None:
    answers(told(entry()))
    backups.refresh_all()
    assert len(backups.backups_known(server)[0].backups) == 1
    answers(ssh.DeviceUnreachable("it is off"))
    backups.refresh_all()
    assert len(backups.backups_known(server)[0].backups) == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        None, [], "x", {"backups": {"a": 1}}, {"backups": [None, 3, {}, {"id": 1}]}, {"complete": {"id": "x"}},
        {"backups": [entry(made_at="2026-11-21T02:00:03")]}, {"backups": [entry(made_at=5)]}, {"timer": [1]},
    ],
)  # fmt: skip
def test_nonsense_from_a_device_is_passed_over(nonsense: Any) -> None:
    listing = backup_listing.read(nonsense)
    assert (listing.backups, listing.complete) == ((), None)


def test_texts_and_numbers_from_a_device_are_cut_to_size() -> None:
    (backup,) = backup_listing.read_backups([entry(database="x\x00" * 500, size_bytes=-5, seconds="long")])
    assert (len(backup.database), backup.size_bytes, backup.seconds) == (200, 0, 0.0)
    assert backup_listing.read(json.loads(json.dumps(backup_listing.read(told(entry())).to_json()))).complete


def forgelab(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    return main(arguments), *capsys.readouterr()


def test_the_command_line_lists_what_the_device_says(
    server: Server, answers: Callable[[Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    answers(told(entry(), entry(database="blog", damaged="its checksum", verified=False)))
    status, out, _ = forgelab(capsys, "server", "backups", "laravel")
    assert status == 0 and "verified" in out and "DAMAGED" in out and "Sun 2026-11-22 02:00:31 CET" in out
    answers(ssh.DeviceUnreachable("homelab-server-01 did not answer."))
    status, out, err = forgelab(capsys, "server", "backups", "laravel", "--json")
    assert "did not answer" in err and len(json.loads(out)["backups"]) == 2


def test_the_command_line_wants_the_servers_name_typed(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(follow, "check_worker", lambda run_id: None)
    status, _, err = forgelab(capsys, "server", "restore", "laravel", "--database", "shop")
    assert status == 1 and "Type the server's name, laravel, to confirm" in err
    asked = ("server", "restore", "laravel", "--database", "shop", "--confirm", "laravel", "--no-wait")
    assert forgelab(capsys, *asked)[0] == 0
    assert Run.objects.get(kind="server.restore").title == "Restore shop of laravel"


@pytest.fixture
def api() -> APIClient:
    user = accounts.user_create(username="ada", password="correct horse battery", actor=SYSTEM)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {accounts.token_create(user=user, actor=SYSTEM)}")
    return client


def test_the_api_backs_up_lists_and_restores(server: Server, api: APIClient, answers: Callable[[Any], None]) -> None:
    address = f"/api/v1/infrastructure/servers/{server.pk}"
    asked = api.post(f"{address}/backup", {}, format="json")
    assert asked.status_code == 202 and asked.json()["run"]["kind"] == "server.backup"
    refused = api.post(f"{address}/restore", {"database": "shop", "confirm": "laravel"}, format="json")
    assert refused.status_code == 400 and "at work already" in refused.json()["server"][0]
    Run.objects.filter(kind="server.backup").update(status="succeeded")
    assert api.get(f"{address}/backups").json() == {"results": [], "last": None, "timer": {}, "read_at": None}
    answers(told(entry()))
    listed = api.get(f"{address}/backups?refresh=true").json()
    assert [(row["database"], row["verified"]) for row in listed["results"]] == [("shop", True)]
    assert listed["last"]["databases"] == ["shop"]
    restored = api.post(f"{address}/restore", {"database": "shop", "confirm": "laravel"}, format="json")
    assert restored.status_code == 202 and Run.objects.get(kind="server.restore").requested_by.username == "ada"


def test_the_api_says_that_the_device_does_not_answer(
    server: Server, api: APIClient, answers: Callable[[Any], None]
) -> None:
    answers(ssh.DeviceUnreachable("homelab-server-01 did not answer."))
    answer = api.get(f"/api/v1/infrastructure/servers/{server.pk}/backups?refresh=true")
    assert (answer.status_code, answer.json()) == (409, {"detail": "homelab-server-01 did not answer."})


def test_the_page_shows_backups_and_restores_one(
    server: Server, client: Client, answers: Callable[[Any], None]
) -> None:
    client.force_login(accounts.user_create(username="ada", password="correct horse battery", actor=SYSTEM))
    answers(told(entry(database="<b>shop/x"), timer={"result": "exit-code", "last": "today", "next": "tomorrow"}))
    page = client.post("/servers/laravel/backups/refresh/", follow=True).content.decode()
    assert "&lt;b&gt;shop/x" in page and "<b>shop" not in page
    assert "The last nightly backup failed" in page and "due tomorrow" in page
    form = {"backup": "postgresql/20261121-020003/<b>shop/x", "confirm": "wrong"}
    refused = client.post("/servers/laravel/backups/restore/", form | {"into": "copy"})
    assert refused.status_code == 422
    assert "Type the server&#x27;s name, laravel, to confirm" in refused.content.decode()
    assert all(f'value="{typed}"' in refused.content.decode() for typed in ("copy", "wrong"))
    client.post("/servers/laravel/backups/restore/", form | {"confirm": "laravel"})
    planned = Plan.from_json(Run.objects.get(kind="server.restore").plan).roles[-1].variables
    assert (planned["backup_restore_database"], planned["backup_restore_at"]) == ("<b>shop/x", "20261121-020003")


def test_the_page_of_a_server_without_backups_has_none_of_it(server: Server, client: Client) -> None:
    client.force_login(accounts.user_create(username="ada", password="correct horse battery", actor=SYSTEM))
    assert "Back up now" in client.get("/servers/laravel/").content.decode()
    Component.objects.filter(name="backups").delete()
    assert "Back up now" not in client.get("/servers/laravel/").content.decode()


def test_a_damaged_backup_cannot_be_chosen(server: Server, client: Client, answers: Callable[[Any], None]) -> None:
    client.force_login(accounts.user_create(username="ada", password="correct horse battery", actor=SYSTEM))
    answers(told(entry(), entry(id="20261120-020003", damaged="its checksum", verified=False)))
    page = client.post("/servers/laravel/backups/refresh/", follow=True).content.decode()
    assert "postgresql/20261121-020003/shop" in page
    assert "postgresql/20261120-020003/shop" not in page


def test_a_fresh_backup_is_what_taking_a_database_away_asks_for(server: Server, end: Callable[..., Run]) -> None:
    from forgelab.databases.safety import has_fresh_backup

    at = timezone.now() - timedelta(hours=1)
    complete = told()["complete"] | {"made_at": at.isoformat()}
    end(backups.backup_create(server=server, actor=SYSTEM), backups={"made": [entry()], "complete": complete})
    assert has_fresh_backup(server)
