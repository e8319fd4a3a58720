"""What a room above adds is part of every change, planned or applied."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.runs.plan import PlannedRole
from forgelab.servers import extensions
from forgelab.servers.changes import dry_run
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from forgelab.servers.removal import decommission
from tests.servers.helpers import names

pytestmark = pytest.mark.django_db


class Motd(extensions.ServerExtension):
    """Adds a role, keeps a version, and has something to lose with Redis."""

    def __init__(self) -> None:
        self.ended_with: list[str] = []

    def adjusted(self, spec):
        return dataclasses.replace(spec, config={**spec.config, "php_version": "8.2"})

    def check(self, spec):
        if spec.name == "forbidden":
            raise ValidationError({"name": "This name is taken by the room above."})

    def roles(self, spec, roles):
        return [*roles, PlannedRole(name="common", title=f"Greeting on {spec.name}")]

    def data_lost(self, config, gone):
        return [name for name in gone if name == "redis"]

    def check_loss(self, server, lost, confirmation):
        if lost and confirmation.confirm != server.name:
            raise ValidationError({"confirm": f"{', '.join(lost)} would be lost."})

    def outage(self, server, reason):
        return "It is out of service." if server.environment == "staging" else ""

    def ended(self, server, run):
        self.ended_with.append(server.status)


@pytest.fixture
def motd() -> Iterator[Motd]:
    before = list(extensions._extensions)
    extension = Motd()
    extensions.register(extension)
    yield extension
    extensions._extensions[:] = before


def test_it_adjusts_the_wanted_server_and_its_plan(motd, provision):
    run = provision(config={"php_version": "8.4"})
    assert run.request["config"]["php_version"] == Server.objects.get().config["php_version"] == "8.2"
    assert "common" in names(run)


def test_it_is_in_a_plan_as_well(server, motd):
    run = dry_run.server_plan(server=server, actor=SYSTEM)
    assert run.request["config"]["php_version"] == "8.2"
    assert "common" in names(run)


def test_it_may_refuse_and_nothing_is_stored(motd, provision):
    with pytest.raises(ValidationError, match="taken by the room above"):
        provision("forbidden")
    assert not Server.objects.exists()


def test_what_it_would_lose_must_be_confirmed_for_a_change_and_for_a_decommissioning(server, motd, backed_up):
    with pytest.raises(ValidationError, match=r"redis would be lost"):
        services.server_change(server=server, changes={"include_redis": False}, actor=SYSTEM)
    assert services.server_change(server=server, changes={"include_redis": False}, confirm="laravel", actor=SYSTEM)


def test_a_decommissioning_asks_it_too(server, motd, monkeypatch):
    asked = []
    monkeypatch.setattr(motd, "check_loss", lambda server, lost, confirmation: asked.append((server.name, lost)))
    sentence = "remove laravel without a backup"
    decommission.server_decommission(server=server, confirm="laravel", without_backup=sentence, actor=SYSTEM)
    assert asked[0][0] == "laravel"
    assert "redis" in asked[0][1]


def test_it_hears_of_the_end_and_may_say_that_a_server_is_out_of_service(server, motd, provision, end):
    end(provision(environment="staging"), "failed")
    server.refresh_from_db()
    assert (server.status, server.status_detail) == ("failed", "It is out of service.")
    assert motd.ended_with == ["failed"]


def test_registered_twice_it_is_asked_once(motd, provision):
    extensions.register(motd)
    assert names(provision()).count("common") == 1
