from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from forgelab.accounts.actors import SYSTEM
from forgelab.databases import safety
from forgelab.devices.models import Device
from forgelab.runs import claims
from forgelab.runs.models import Run
from forgelab.runs.results import RunResult
from forgelab.servers.models import Server
from forgelab.servers.provisioning.services import server_provision
from tests.servers.helpers import INSTALLED, MANAGED

APP = "laravel-app-server"


@pytest.fixture
def provision(device: Device, enqueued: list[str]) -> Callable[..., Run]:
    def ask(name: str = "laravel", **changes: Any) -> Run:
        given = {"server_type": APP, "name": name, "device": device, "config": {}, "actor": SYSTEM}
        return server_provision(**given | changes)

    return ask


@pytest.fixture
def end() -> Callable[..., Run]:
    """Claim and end a run as its worker would."""

    def end(run: Run, status: str = "succeeded", **outcome: Any) -> Run:
        claimed = claims.claim(run.pk)
        assert claimed
        claims.end(claimed, RunResult(status), outcome=outcome)
        return claimed

    return end


@pytest.fixture
def server(provision, end) -> Server:
    end(provision(), managed=MANAGED, installed=INSTALLED)
    return Server.objects.select_related("device").get()


@pytest.fixture
def backed_up(monkeypatch):
    """Say when the last verified backup was made."""

    def made(ago: timedelta | None):
        found = SimpleNamespace(finished_at=timezone.now() - ago) if ago is not None else None
        monkeypatch.setattr(safety, "last_backup", lambda server: found)

    made(None)
    return made
