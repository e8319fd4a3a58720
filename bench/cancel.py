"""`cancel`: how long after the request nothing of a run is left, here and on the device, in the middle of apt."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.homelab import Homelab, server_name
from bench.report import Table, middle
from forgelab.lab import LabDevice
from forgelab.lib.processes import marked
from tests.e2e.config import BOOKWORM
from tests.support.stack import wait_for

TIMES = 3


def cancel(homelab: Homelab) -> Iterator[Table]:
    device = homelab.fresh("cancel")
    seconds = [_cancel_once(homelab, device) for _ in range(TIMES)]
    table = Table(
        f"Seconds from the request to cancel until no process of the run is left, {TIMES} times in the middle of "
        "apt; every run goes on from what the one before it left (the promise is 3 s).",
        ("Where", "Middle", "Longest"),
    )
    for number, where in enumerate(("on the device", "on the controller", "the run is marked cancelled")):
        each = [times[number] for times in seconds]
        table.add(where, middle(each), max(each))
    yield table


def _cancel_once(homelab: Homelab, device: LabDevice) -> tuple[float, float, float]:
    stack = homelab.stack
    run_id = stack.provision(server_name(device), homelab.known(device), BOOKWORM)
    wait_for(lambda: "apt-get" in _left_on(device, run_id), 120, "apt works on the device")
    time.sleep(2)
    asked = time.monotonic()
    stack.api.post(f"runs/{run_id}/cancel").raise_for_status()
    wait_for(lambda: not _left_on(device, run_id), 60, "nothing is left on the device")
    on_device = time.monotonic()
    wait_for(lambda: not marked(run_id), 60, "nothing is left on the controller")
    here = time.monotonic()
    run = stack.wait_for_end(run_id, timeout=60)
    if run["status"] != "cancelled":
        raise SystemExit(f"The run ended {run['status']} instead of cancelled: {run['status_detail']}")
    return on_device - asked, here - asked, time.monotonic() - asked


def _left_on(device: LabDevice, run_id: str) -> str:
    """The names of the run's processes on the device."""
    script = (
        f"for p in $(grep -lz FORGELAB_RUN={run_id} /proc/[0-9]*/environ 2>/dev/null); do cat ${{p%environ}}comm; done"
    )
    return device.exec(["sh", "-c", script], check=False).stdout
