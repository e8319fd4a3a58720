"""Ten runs at once, each on a device of its own, and the worker is as good as new afterwards."""

from __future__ import annotations

import pytest

from forgelab.lab import Lab
from tests.e2e.config import BOOKWORM
from tests.support.stack import Stack

pytestmark = [pytest.mark.lab, pytest.mark.matrix]
WAVES, AT_ONCE = 2, 10
# Refused by the preflight: a short run that goes the whole way from click to end and leaves the devices as they are.
CONFIG = {**BOOKWORM, "php_version": "8.3"}


def test_waves_of_ten_runs_leave_the_worker_able_to_take_more(stack: Stack, lab: Lab) -> None:
    names = [f"e2e-many-{number}" for number in range(AT_ONCE)]
    devices = lab.up_many(names, memory="4G", cpus=2)
    for device in devices:
        stack.cli("device", "add", device.name, device.address, "--key", str(lab.key_path), "--accept-key")
    ids = {row["name"]: row["id"] for row in stack.api.get("devices?limit=100").raise_for_status().json()["results"]}
    for _ in range(WAVES):
        runs = [stack.provision(name, ids[name], CONFIG) for name in names]
        ended = [stack.wait_for_end(run, timeout=300) for run in runs]
        assert {run["status"] for run in ended} == {"failed"}
        assert all("8.2" in run["status_detail"] for run in ended)
    last = stack.wait_for_end(stack.provision(names[0], ids[names[0]], CONFIG), timeout=180)
    assert last["status"] == "failed"
    for device in devices:
        device.remove()
