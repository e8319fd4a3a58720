"""Every service that takes an actor: it asks the policy first, and writes exactly one entry with its change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from forgelab.accounts.actors import SCHEDULER, Actor, from_person, from_shell, from_token
from forgelab.accounts.models import AuditEntry, User
from forgelab.accounts.policy import ACTIONS
from forgelab.devices import passwords, ssh
from forgelab.devices.password_scripts import Done
from forgelab.servers.models import Component
from tests import factories
from tests.accounts.services import ARGUMENTS, action_of, found
from tests.accounts.walk import database, homelab
from tests.devices.test_services import PI

SERVICES = found()
TOKEN = "0123456789abcde"


@pytest.fixture
def rows(
    guest: User, enqueued: list[str], private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """A homelab in which every service can do its work."""

    async def nothing(*arguments: object) -> Done:
        return Done(rule_added=False, key_added=False)

    monkeypatch.setattr(ssh, "run_script", lambda device, script, *, root=False, **more: "0\n" if root else PI)
    monkeypatch.setattr(passwords, "_put_in_place", nothing)
    rows = homelab() | {"folder": tmp_path / "export", "private_key": private_key}
    rows["run"].delete()
    rows["spare"] = factories.device("spare")
    Component.objects.create(server=rows["server"], name="backups", title="Backups", position=9)
    rows["cache"] = factories.server(factories.device("homelab-pi-01"), "cache-production")
    type(rows["cache"]).objects.filter(pk=rows["cache"].pk).update(server_type="cache-server", config={})
    rows["cache"].components.all().delete()
    factories.identity(private_key=private_key)
    return rows


def test_every_service_that_takes_an_actor_is_in_the_table() -> None:
    assert set(SERVICES) == set(ARGUMENTS)


def test_every_service_has_an_action_in_the_policy() -> None:
    assert {name: action_of(name) for name in SERVICES if action_of(name) not in ACTIONS} == {}


def refused(name: str, actor: Actor, rows: dict[str, Any]) -> None:
    given = ARGUMENTS[name](rows)
    before = (database(), AuditEntry.objects.count())
    with pytest.raises(PermissionDenied):
        SERVICES[name](**given, actor=actor)
    assert (database(), AuditEntry.objects.count()) == before


@pytest.mark.parametrize("name", SERVICES)
class TestService:
    def test_refuses_who_is_not_logged_in(self, name: str, rows: dict[str, Any]) -> None:
        refused(name, from_person(None), rows)

    def test_refuses_an_ordinary_user_and_its_token(self, name: str, rows: dict[str, Any], guest: User) -> None:
        refused(name, from_person(guest), rows)
        refused(name, from_token(guest, TOKEN), rows)

    @pytest.mark.parametrize("who", ["owner", "token", "command line", "scheduler"])
    def test_writes_one_entry_for_who_may(self, name: str, rows: dict[str, Any], owner: User, who: str) -> None:
        actors = {"owner": from_person(owner, "192.168.1.7"), "token": from_token(owner, TOKEN, "192.168.1.7"),
                  "command line": from_shell(), "scheduler": SCHEDULER}  # fmt: skip
        actor, before = actors[who], AuditEntry.objects.count()

        SERVICES[name](**ARGUMENTS[name](rows), actor=actor)

        assert AuditEntry.objects.count() == before + 1
        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.actor, entry.origin) == (action_of(name), actor.display, actor.origin)
        assert entry.user == actor.user

    def test_writes_nothing_where_its_change_is_rolled_back(self, name: str, rows: dict[str, Any], owner: User) -> None:
        given = ARGUMENTS[name](rows)
        before = (database(), AuditEntry.objects.count())

        with pytest.raises(ZeroDivisionError), transaction.atomic():
            SERVICES[name](**given, actor=from_person(owner))
            1 / 0  # noqa: B018

        assert (database(), AuditEntry.objects.count()) == before

    def test_keeps_no_secret_in_its_entry(self, name: str, rows: dict[str, Any], owner: User) -> None:
        SERVICES[name](**ARGUMENTS[name](rows), actor=from_person(owner))

        kept = str(AuditEntry.objects.values())
        assert not [secret for secret in (factories.SECRET, rows["private_key"], "s3cret word") if secret in kept]
