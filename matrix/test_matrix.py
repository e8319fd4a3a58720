"""Every case of the matrix: provisioned, looked at, provisioned again without a change, and planned without one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from matrix import report
from matrix.cases import Case, chosen
from matrix.checks import verify
from matrix.homelab import Homelab

pytestmark = pytest.mark.matrix


@pytest.mark.parametrize("case", chosen(), ids=lambda case: case.id)
def test_case(case: Case, homelab: Homelab) -> None:
    with report.recorded(case) as result, ExitStack() as devices:
        config = {**case.config, **beside(case, homelab, devices)}
        device, device_id = devices.enter_context(homelab.device(case.id, case))
        first = homelab.provision(case.id, case.server_type, device_id, config)
        result.first = first["seconds"]

        machine = homelab.machine(device, case.id)
        result.versions = {c["title"]: c["version"] for c in machine.server["components"] if c["version"]}
        verify(machine)

        again = homelab.provision(case.id, case.server_type, device_id, config)
        result.again = again["seconds"]
        result.changed = sum(again["outcome"]["recap"]["changed"].values())
        assert homelab.changed_tasks(again) == []
        assert result.changed == 0

        result.plan = homelab.plan(case.id).strip().rpartition("\n")[2]
        assert result.plan == "No changes."


def beside(case: Case, homelab: Homelab, devices: ExitStack) -> dict[str, Any]:
    """Provision the servers that this one needs; its options that name them."""
    named = {}
    for option, (server_type, config) in case.beside.items():
        name = f"{case.id}-{option.split('_')[0]}"
        _, device_id = devices.enter_context(homelab.device(name, case))
        homelab.provision(name, server_type, device_id, dict(config))
        named[option] = name
    return named
