from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from forgelab.devices.models import Device
from forgelab.runs import claims
from forgelab.runs.models import Run
from forgelab.runs.outcome import Ending
from forgelab.servers.services import server_provision

APP = "laravel-app-server"


@pytest.fixture
def provision(device: Device, no_bell: list[str]) -> Callable[..., Run]:
    def ask(name: str = "laravel", **changes: Any) -> Run:
        return server_provision(**({"server_type": APP, "name": name, "device": device, "config": {}} | changes))

    return ask


@pytest.fixture
def end() -> Callable[..., Run]:
    """Claim and end a run as its worker would."""

    def end(run: Run, status: str = "succeeded", **outcome: Any) -> Run:
        claimed = claims.claim(run.pk)
        assert claimed
        claims.end(claimed, Ending(status), outcome=outcome)
        return claimed

    return end
