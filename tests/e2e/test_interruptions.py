"""Whatever is cut off in the middle: the run ends in a clear state, nothing goes on, and the next provision succeeds.

The tests use one device one after the other, so each also starts from what the one before it left half done.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from forgelab.lab import LabDevice
from forgelab.lib.processes import marked
from tests.e2e.config import BOOKWORM
from tests.e2e.lab_devices import left_on
from tests.support.stack import Stack, wait_for

pytestmark = pytest.mark.lab
NAME = "interrupted"
CONFIG = {**BOOKWORM, "include_nodejs": False, "include_composer": False}  # enough to install to be cut off in it


@pytest.fixture(scope="module")
def device(join: Callable[..., tuple[LabDevice, str]]) -> tuple[LabDevice, str]:
    return join("e2e-cut")


def installing(stack: Stack, device: tuple[LabDevice, str], name: str = NAME) -> str:
    """A run that is just installing packages."""
    run_id = stack.provision(name, device[1], CONFIG)
    stack.wait_for_step(run_id, "packages")
    wait_for(lambda: left_on(device[0], run_id), 60, "the run works on the device")
    return run_id


def test_cancel_leaves_no_process(stack: Stack, device: tuple[LabDevice, str]) -> None:
    run_id = installing(stack, device)
    assert stack.api.post(f"runs/{run_id}/cancel").status_code == 202
    run = stack.wait_for_end(run_id, timeout=60)
    assert run["status"] == "cancelled"
    assert marked(run_id) == []
    assert left_on(device[0], run_id) == ""


def test_a_killed_worker_loses_its_run_which_is_queued_again_once(stack: Stack, device: tuple[LabDevice, str]) -> None:
    run_id = installing(stack, device)
    os.kill(stack.child("runs"), signal.SIGKILL)
    run = stack.wait_for_end(run_id, timeout=180)
    assert run["status"] == "lost"
    assert marked(run_id) == []
    assert left_on(device[0], run_id) == ""
    assert run["retry"]
    wait_for(lambda: stack.run(run["retry"])["status"] == "running", 60, "the run is taken up again")
    stack.api.post(f"runs/{run['retry']}/cancel").raise_for_status()
    again = stack.wait_for_end(run["retry"], timeout=60)
    assert again["status"] == "cancelled"
    assert again["retry"] is None


def test_a_cut_cable_fails_the_run_and_says_so(stack: Stack, device: tuple[LabDevice, str]) -> None:
    run_id = installing(stack, device)
    device[0].cut()
    try:
        run = stack.wait_for_end(run_id, timeout=300)
        assert run["status"] == "failed"
        assert "reached" in run["status_detail"]
        refused = stack.wait_for_end(stack.provision(NAME, device[1], CONFIG), timeout=180)
        assert refused["status"] == "failed"
        assert "Nothing was started" in refused["status_detail"]
    finally:
        device[0].heal()


def test_a_power_cut_fails_the_run(stack: Stack, device: tuple[LabDevice, str]) -> None:
    run_id = installing(stack, device)
    device[0].kill()
    run = stack.wait_for_end(run_id, timeout=300)
    assert run["status"] == "failed"
    device[0].start()


def test_after_all_that_provisioning_succeeds(stack: Stack, device: tuple[LabDevice, str]) -> None:
    run = stack.wait_for_end(stack.provision(NAME, device[1], CONFIG))
    assert run["status"] == "succeeded", run["status_detail"]
    again = stack.wait_for_end(stack.provision(NAME, device[1], CONFIG))
    assert sum(again["outcome"]["recap"]["changed"].values()) == 0
    device[0].remove()


def test_everything_killed_at_once_is_put_right_at_the_next_start(
    stack: Stack, join: Callable[..., tuple[LabDevice, str]]
) -> None:
    device = join("e2e-crash")
    run_id = installing(stack, device, "crashed")
    stack.kill()
    wait_for(lambda: marked(run_id) == [], 60, "nothing of the run is left on this machine")
    stack.start()
    run = stack.wait_for_end(run_id, timeout=180)
    assert run["status"] == "lost"
    wait_for(lambda: stack.run(run["retry"])["status"] == "running", 60, "the run is taken up again")
    stack.api.post(f"runs/{run['retry']}/cancel").raise_for_status()
    stack.wait_for_end(run["retry"], timeout=60)
    device[0].remove()
