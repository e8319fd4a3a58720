"""What a plan shows is what applying it queues, also where this room adds something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from forgelab.accounts.actors import SYSTEM
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.servers.changes import dry_run
from forgelab.servers.models import Server
from forgelab.servers.provisioning import services

pytestmark = pytest.mark.django_db

DATABASE = "database-server"
NAMES = {"database_name": "shop", "database_user": "shop_user"}
PROMOTE = {"postgresql_promote": True}


@pytest.fixture
def laravel(server, end, backed_up) -> str:
    backed_up(timedelta(hours=1))
    return server.name


@pytest.fixture
def standby(provision, end, device, make_device, backed_up) -> str:
    backed_up(timedelta(hours=1))
    end(provision("first", server_type=DATABASE, config=NAMES))
    other = make_device("homelab-server-09", address="10.78.0.19")
    end(provision("second", server_type=DATABASE, device=other, config={**NAMES, "replicate_from": "first"}))
    return "second"


@pytest.fixture
def replaced(standby, end) -> str:
    second = Server.objects.get(name=standby)
    end(services.server_change(server=second, changes={**PROMOTE, "replicate_from": ""}, actor=SYSTEM))
    return "first"


@pytest.fixture
def applied(end) -> Callable[..., tuple[Run, Run]]:
    """Plan these changes of a server, and apply the plan."""

    def both(name: str, changes: dict[str, Any]) -> tuple[Run, Run]:
        server = Server.objects.get(name=name)
        planned = dry_run.server_plan(server=server, changes=changes, actor=SYSTEM)
        end(planned)
        planned.refresh_from_db()
        return planned, services.server_apply(run=planned, confirm=name, actor=SYSTEM)

    return both


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        pytest.param("laravel", {}, id="nothing"),
        pytest.param("laravel", {"php_version": "8.2"}, id="a version"),
        pytest.param("laravel", {"include_redis": False}, id="a component goes"),
        pytest.param("laravel", {"database_engine": "mariadb"}, id="a database goes"),
        pytest.param("standby", {**PROMOTE, "replicate_from": ""}, id="a promotion"),
        pytest.param("standby", PROMOTE, id="a promotion that still names its primary"),
        pytest.param("replaced", {}, id="an old primary becomes a standby"),
        pytest.param("replaced", {"postgresql_replace_data": True}, id="an old primary's data are replaced"),
    ],
)
def test_applying_a_plan_queues_the_roles_and_the_config_that_it_showed(request, applied, kind, changes):
    planned, run = applied(request.getfixturevalue(kind), changes)
    shown, queued = Plan.from_json(planned.plan), Plan.from_json(run.plan)
    assert [role.name for role in queued.roles] == [role.name for role in shown.roles]
    assert queued.roles == shown.roles
    assert run.request == planned.request
    assert Server.objects.get(pk=run.subject_id).config == planned.request["config"]
