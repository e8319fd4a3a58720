"""A standby takes over: whose passwords it has, and what becomes of the old primary."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from forgelab.accounts.actors import SYSTEM
from forgelab.databases import fencing, safety
from forgelab.databases.promotion import REPLACES
from forgelab.devices import ssh
from forgelab.devices.models import Device
from forgelab.runs.models import Run, Step
from forgelab.runs.plan import Plan
from forgelab.servers.changes import dry_run
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services

pytestmark = pytest.mark.django_db

DATABASE = "database-server"
NAMES = {"database_name": "shop", "database_user": "shop_user"}


@pytest.fixture
def other(make_device: Callable[..., Device]) -> Device:
    return make_device("homelab-server-09", address="10.78.0.19")


@pytest.fixture
def first(provision, end, device) -> Server:
    device.address = "10.78.0.11"
    device.save()
    end(provision("first", server_type=DATABASE, config=NAMES))
    return Server.objects.get(name="first")


@pytest.fixture
def second(provision, end, first, other) -> Server:
    end(provision("second", server_type=DATABASE, device=other, config={**NAMES, "replicate_from": "first"}))
    return Server.objects.get(name="second")


@pytest.fixture
def promote(provision, second) -> Callable[..., Run]:
    def ask(**changes: Any) -> Run:
        config = {**second.config, "postgresql_promote": True, "replicate_from": "", **changes}
        return provision("second", server_type=DATABASE, device=second.device, config=config)

    return ask


@pytest.fixture
def replaced(promote, end, first) -> Server:
    end(promote())
    first.refresh_from_db()
    return first


def role(run: Run, name: str = "postgresql") -> Any:
    return next(role for role in Plan.from_json(run.plan).roles if role.name == name)


def step(run: Run, name: str, status: str) -> None:
    Step.objects.filter(run=run, role=name).update(status=status)


def test_it_has_the_primarys_passwords_from_then_on(promote, end, first, second):
    assert second.secrets != first.secrets
    run = promote()
    assert role(run).secrets["postgresql_password"] == first.secrets["database_password"]
    end(run)
    second.refresh_from_db()
    assert second.secrets == first.secrets


def test_a_plan_of_it_has_the_same_passwords_and_stores_nothing(first, second):
    before = second.secrets
    run = dry_run.server_plan(server=second, changes={"postgresql_promote": True, "replicate_from": ""}, actor=SYSTEM)
    assert role(run).secrets["postgresql_password"] == first.secrets["database_password"]
    second.refresh_from_db()
    assert second.secrets == before


def test_it_opens_for_the_old_primary(promote, first):
    told = role(promote()).variables
    assert told["postgresql_standby_networks"] == ["10.78.0.11/32"]


def test_the_old_primary_is_remembered_and_says_so(replaced):
    assert (replaced.replaced_by, replaced.status) == ("second", Server.Status.FAILED)
    assert replaced.config["replicate_from"] == "second"
    assert "second took over from first" in replaced.status_detail
    assert "forgelab server provision database-server --name first" in replaced.status_detail


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_promotion_that_fails_replaces_nobody(promote, end, first, status):
    end(promote(), status)
    first.refresh_from_db()
    assert (first.replaced_by, first.status) == ("", Server.Status.ACTIVE)


def test_promoted_without_letting_go_of_the_primary_it_is_the_same(promote, end, first):
    end(promote(replicate_from="first"))
    first.refresh_from_db()
    assert first.replaced_by == "second"


def test_provisioned_again_the_new_primary_replaces_nobody_again(promote, replaced, end, provision, second):
    end(provision("first", server_type=DATABASE, config=replaced.config))  # it follows
    second.refresh_from_db()
    end(provision("second", server_type=DATABASE, device=second.device, config=second.config))
    replaced.refresh_from_db()
    assert (replaced.replaced_by, replaced.status) == ("", Server.Status.ACTIVE)


def test_its_runs_make_it_take_no_writes_until_one_ends_well(replaced, provision, end):
    run = provision("first", server_type=DATABASE, config=replaced.config)
    assert role(run).variables["postgresql_replaced"] is True
    assert role(run).variables["postgresql_recopy_command"] == (
        "forgelab server change first postgresql_replace_data=true --confirm first"
    )
    end(run, "failed")
    replaced.refresh_from_db()
    assert (replaced.replaced_by, replaced.status) == ("second", Server.Status.FAILED)
    run = provision("first", server_type=DATABASE, config=replaced.config)
    end(run)
    replaced.refresh_from_db()
    assert (replaced.replaced_by, replaced.status, replaced.status_detail) == ("", Server.Status.ACTIVE, "")
    assert "postgresql_replaced" not in role(provision("first", server_type=DATABASE, config=replaced.config)).variables


def test_it_cannot_go_on_as_a_primary_beside_the_new_one(replaced):
    with pytest.raises(ValidationError) as error:
        services.server_change(server=replaced, changes={"replicate_from": ""}, actor=SYSTEM)
    [sentence] = error.value.message_dict["config.replicate_from"]
    assert "second took over from first" in sentence


def test_nobody_is_let_to_use_it(replaced, provision, make_device):
    with pytest.raises(ValidationError) as error:
        provision("third", server_type=DATABASE, device=make_device("third"), config={"replicate_from": "first"})
    assert error.value.message_dict["config.replicate_from"] == ["second took over from first. Name second instead."]


def test_its_data_are_replaced_only_with_its_name_and_a_backup(replaced, monkeypatch, end):
    def ask(**more: str) -> Run:
        return services.server_change(server=replaced, changes={REPLACES: True}, **more, actor=SYSTEM)

    with pytest.raises(ValidationError) as error:
        ask()
    assert "confirm" in error.value.message_dict
    monkeypatch.setattr(safety, "last_backup", lambda server: None)
    with pytest.raises(ValidationError) as error:
        ask(confirm="first")
    assert "without_backup" in error.value.message_dict
    found = SimpleNamespace(finished_at=timezone.now())
    monkeypatch.setattr(safety, "last_backup", lambda server: found)
    run = ask(confirm="first")
    assert role(run).variables[REPLACES] is True
    end(run, "failed")
    replaced.refresh_from_db()
    assert replaced.config[REPLACES] is False  # allowed once


def eleven_minutes_pass() -> None:
    Run.objects.update(created_at=F("created_at") - timedelta(minutes=11))
    Server.objects.update(replaced_at=F("replaced_at") - timedelta(minutes=11))


class TestFencing:
    @pytest.fixture(autouse=True)
    def answers(self, monkeypatch):
        state = SimpleNamespace(up=True, asked=[])

        def run_script(device, script, **more):
            state.asked.append(device.name)
            if not state.up:
                raise ssh.DeviceUnreachable(f"{device.name} does not answer.")
            return ""

        monkeypatch.setattr(ssh, "run_script", run_script)
        return state

    def test_nobody_is_seen_to_while_nobody_was_replaced(self, second):
        assert fencing.fence_due() == []

    def test_it_is_seen_to_once_its_device_answers(self, replaced, answers):
        answers.up = False
        assert fencing.fence_due() == []
        assert answers.asked == [replaced.device.name]
        answers.up = True
        [run] = fencing.fence_due()
        assert role(run).variables["postgresql_replaced"] is True
        assert fencing.fence_due() == []  # not while that run is going on

    def test_a_run_that_did_not_get_to_it_is_tried_again_later(self, replaced, end):
        [run] = fencing.fence_due()
        step(run, "preflight", Step.Status.FAILED)
        end(run, "failed")
        assert fencing.fence_due() == []
        eleven_minutes_pass()
        assert len(fencing.fence_due()) == 1

    def test_one_that_got_to_it_is_enough(self, replaced, end):
        [run] = fencing.fence_due()
        step(run, "postgresql", Step.Status.FAILED)
        end(run, "failed")
        eleven_minutes_pass()
        assert fencing.fence_due() == []

    def test_what_it_did_as_a_standby_of_that_server_before_does_not_count(self, promote, replaced, provision, end):
        """A change back: the one that takes over once followed the one that it replaces, and the other way round."""
        end(provision("first", server_type=DATABASE, device=replaced.device, config=replaced.config))
        back = {**Server.objects.get(name="first").config, "postgresql_promote": True, "replicate_from": ""}
        end(provision("first", server_type=DATABASE, device=replaced.device, config=back))
        assert Server.objects.get(name="second").replaced_by == "first"
        assert [run.title for run in fencing.fence_due()] == ["Provision second"]
