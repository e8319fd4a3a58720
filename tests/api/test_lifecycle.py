"""Planning, changing, comparing and taking down a server over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from forgelab.accounts.actors import SYSTEM
from forgelab.accounts.models import User
from forgelab.runs.models import Event, Run
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Server:
    services.server_provision(
        server_type=factories.SMALL,
        name="web",
        device=factories.device("big"),
        config={"php_version": "8.2"},
        actor=SYSTEM,
    )
    Run.objects.update(status="succeeded", finished_at=timezone.now())
    managed = {"redis": {"units": ["redis.service"]}, "postgresql": {"units": ["postgresql.service"]}}
    Server.objects.update(status="active", provisioned_at=timezone.now(), managed=managed)
    return Server.objects.get()


@pytest.fixture
def address(server: Server) -> str:
    return f"/api/v1/infrastructure/servers/{server.pk}"


def planned(api: APIClient, address: str, **config: Any) -> Run:
    """A plan that has found one file changed."""
    answer = api.post(f"{address}/plan", {"config": config}, format="json")
    assert answer.status_code == 202, answer.json()
    run = Run.objects.get(pk=answer.json()["run"]["id"])
    Event.objects.create(
        run=run, counter=1, kind="runner_on_ok", role="nginx", task="Configure", changed=True,
        result={"changed_files": ["/etc/a"], "diff": [{"path": "/etc/a", "text": "+x\n"}]}, created_at=timezone.now(),
    )  # fmt: skip
    factories.end(run, "succeeded")
    return run


def test_a_plan_is_a_run_whose_result_can_be_read(api: APIClient, address: str, server: Server, user: User) -> None:
    run = planned(api, address, php_version="8.3")

    result = api.get(f"/api/v1/runs/{run.pk}/plan").json()

    assert (run.kind, run.requested_by) == ("server.plan", user)
    assert (result["summary"], result["count"], result["applicable"]) == ("1 change in 1 step", 1, True)
    assert result["steps"][0]["changes"] == [{"kind": "file", "what": "/etc/a", "diff": "+x\n"}]
    assert result["options"] == {"php_version": {"from": "8.2", "to": "8.3"}}
    assert Server.objects.get().config == server.config


def test_a_plan_is_applied_as_it_was_shown(api: APIClient, address: str) -> None:
    run = planned(api, address, php_version="8.3")

    answer = api.post(f"/api/v1/runs/{run.pk}/apply", {}, format="json")

    assert answer.status_code == 202, answer.json()
    assert answer.json()["run"]["kind"] == "server.provision"
    assert Server.objects.get().config["php_version"] == "8.3"


def test_a_plan_that_is_no_longer_true_is_not_applied(api: APIClient, address: str, server: Server) -> None:
    run = planned(api, address, php_version="8.3")
    Server.objects.update(config={**server.config, "php_workers": 5})

    answer = api.post(f"/api/v1/runs/{run.pk}/apply", {}, format="json")

    assert answer.status_code == 409
    assert "Make a new plan" in answer.json()["detail"]
    assert not api.get(f"/api/v1/runs/{run.pk}/plan").json()["applicable"]


def test_only_a_plan_has_a_result(api: APIClient, server: Server) -> None:
    assert api.get(f"/api/v1/runs/{Run.objects.get().pk}/plan").status_code == 404


@pytest.mark.parametrize("path", ["", "/plan"])
def test_wrong_options_are_reported_by_field(api: APIClient, address: str, path: str) -> None:
    call = api.post if path else api.patch
    answer = call(address + path, {"config": {"php_version": "7.4", "x": 1}}, format="json")

    assert answer.status_code == 400
    assert set(answer.json()) == {"config.php_version", "config.x"}
    assert Run.objects.count() == 1


def test_options_are_changed_and_the_others_stay(api: APIClient, address: str) -> None:
    answer = api.patch(address, {"config": {"php_workers": 7}}, format="json")

    assert answer.status_code == 202, answer.json()
    config = Server.objects.get().config
    assert (config["php_workers"], config["php_version"]) == (7, "8.2")


def test_a_database_goes_only_with_the_typed_name_and_a_backup(api: APIClient, address: str) -> None:
    change = {"config": {"database_engine": "none"}}
    assert list(api.patch(address, change, format="json").json()) == ["confirm"]
    named = {**change, "confirm": "web"}
    refused = api.patch(address, named, format="json").json()
    assert list(refused) == ["without_backup"]
    sentence = {**named, "without_backup": "remove web without a backup"}
    assert api.patch(address, sentence, format="json").status_code == 202


def test_the_daily_look_is_turned_off_without_a_run(api: APIClient, address: str) -> None:
    answer = api.patch(address, {"drift_watch": False}, format="json")

    assert answer.status_code == 200
    assert answer.json()["drift"]["watch"] is False
    assert Run.objects.count() == 1


@pytest.mark.parametrize(("body", "field"), [({}, "config"), ({"confg": {}}, "confg"), ({"config": 5}, "config")])
def test_a_change_must_say_what_to_change(api: APIClient, address: str, body: Any, field: str) -> None:
    answer = api.patch(address, body, format="json")
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_look_for_drift_compares_with_the_config_as_it_is(api: APIClient, address: str, server: Server) -> None:
    answer = api.post(f"{address}/drift", format="json")

    assert answer.status_code == 202
    run = Run.objects.get(pk=answer.json()["run"]["id"])
    assert (run.kind, run.request["config"]) == ("server.plan", server.config)


def test_what_was_found_is_reported_with_the_server(api: APIClient, address: str) -> None:
    Server.objects.update(drift_count=3, drift_since=timezone.now(), drift_checked_at=timezone.now())
    drift = api.get(address).json()["drift"]
    assert (drift["count"], drift["watch"], drift["run"]) == (3, True, None)
    assert drift["since"] and drift["checked_at"]


def test_a_server_is_decommissioned_by_its_typed_name(api: APIClient, address: str) -> None:
    assert list(api.delete(address, {"confirm": "wep"}, format="json").json()) == ["confirm"]
    assert list(api.delete(address, {"confirm": "web"}, format="json").json()) == ["without_backup"]
    sure = {"confirm": "web", "without_backup": "remove web without a backup"}

    answer = api.delete(address, sure, format="json")

    assert answer.status_code == 202
    assert answer.json()["run"]["kind"] == "server.decommission"
    assert Server.objects.get().status == "decommissioning"


def test_a_server_whose_device_is_gone_is_forgotten(api: APIClient, address: str) -> None:
    assert api.delete(address, {"confirm": "no", "forget": True}, format="json").status_code == 400
    assert api.delete(address, {"confirm": "web", "forget": True}, format="json").status_code == 204
    assert not Server.objects.exists()


def test_nobody_does_any_of_it_without_a_token(address: str) -> None:
    stranger = APIClient()
    for call in (stranger.patch, stranger.delete):
        assert call(address, {}, format="json").status_code == 401
    for path in ("plan", "drift"):
        assert stranger.post(f"{address}/{path}", {}, format="json").status_code == 401
