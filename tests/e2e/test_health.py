"""The stack's collector on real devices: measured, not down after one miss, down after several, healed; asleep, woken.

The stack looks every few seconds instead of every minute.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from forgelab.lab import Lab, LabDevice
from tests.e2e.config import BOOKWORM
from tests.support.stack import Stack, wait_for

pytestmark = pytest.mark.lab
EVERY = 6  # seconds between two looks: long enough for a device on a busy machine to answer
PATIENCE = 240  # seconds
NAME = "woken"


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("watching"), FORGELAB_METRICS_SECONDS=str(EVERY))
    stack.start()
    yield stack
    stack.stop()


class Known:
    """A lab device and what ForgeLab says of it."""

    def __init__(self, lab: Lab, stack: Stack, name: str) -> None:
        self.stack, self.machine = stack, lab.up(name, memory="2G", cpus=2)
        self.id = stack.add(self.machine, lab.key_path)

    def now(self) -> dict[str, Any]:
        return self.stack.api.get(f"devices/{self.id}").raise_for_status().json()

    def samples(self) -> list[dict[str, Any]]:
        return self.stack.api.get(f"devices/{self.id}/metrics?span=60").raise_for_status().json()["results"]

    def until(self, condition: Callable[[dict[str, Any]], bool], what: str) -> list[dict[str, Any]]:
        """What ForgeLab said of it, look by look, until the condition holds."""
        said = [self.now()]

        def look() -> bool:
            said.append(self.now())
            return condition(said[-1])

        wait_for(look, PATIENCE, what, every=0.2)
        return said


@pytest.fixture(scope="module")
def device(lab: Lab, watching: Stack) -> Iterator[Known]:
    known = Known(lab, watching, "e2e-health")
    yield known
    known.machine.remove()


def test_a_device_is_measured_by_itself(device: Known) -> None:
    wait_for(lambda: len(device.samples()) >= 2, PATIENCE, "two samples")
    sample = device.samples()[-1]
    assert (sample["asked"], sample["answered"]) == (1, 1)
    assert 0 < sample["memory_available_mb"] <= 2048
    assert sample["disk_free_mb"] > 0
    said = device.now()
    assert (said["status"], said["misses"]) == ("reachable", 0)
    card = device.machine.exec(["cat", "/sys/class/net/eth0/address"]).stdout.strip()
    assert said["mac_address"] == card
    assert {"port": 22, "process": "sshd", "address": "any"} in said["listening"]


def test_one_connection_is_kept(device: Known) -> None:
    def sessions() -> int:
        shown = device.machine.exec(["ss", "-Htn", "state", "established", "sport = :22"]).stdout
        return len(shown.splitlines())

    count = len(device.samples())
    wait_for(lambda: len(device.samples()) >= count + 2, PATIENCE, "two more samples")
    assert sessions() == 1


def test_a_pulled_cable_is_down_only_after_several_misses_and_heals(device: Known) -> None:
    device.machine.cut()
    try:
        said = device.until(lambda now: now["status"] == "unreachable", "it is called unreachable")
    finally:
        device.machine.heal()
    assert {row["misses"] for row in said if row["status"] == "reachable"} <= {0, 1, 2}
    assert said[-1]["misses"] >= 3
    assert "e2e-health" in said[-1]["status_detail"]
    device.until(lambda now: now["status"] == "reachable" and not now["misses"], "it is reachable again")
    assert any(sample["answered"] == 0 for sample in device.samples())


class Switch:
    """Switches the device on when the packet for its card arrives at the bridge."""

    def __init__(self, machine: LabDevice, mac: str) -> None:
        self.machine, self.packets = machine, 0
        self.wanted = b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((f"{machine.address.rpartition('.')[0]}.255", 9))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                packet = self.socket.recv(2000)
            except OSError:
                return
            if packet == self.wanted:
                self.packets += 1
                if self.packets == 1:
                    self.machine.start()


def test_a_sleeping_device_is_asleep_and_is_woken_before_a_run(device: Known, watching: Stack) -> None:
    first = watching.provision(NAME, device.id, BOOKWORM)  # so that the server is there; its packages can wait
    watching.wait_for_step(first, "preflight")
    watching.api.post(f"runs/{first}/cancel").raise_for_status()
    watching.wait_for_end(first, timeout=120)

    watching.cli("device", "update", "e2e-health", "--sleeps")
    switch = Switch(device.machine, device.now()["mac_address"])
    try:
        device.machine.stop()
        said = device.until(lambda now: now["status"] == "asleep", "it is asleep")
        assert "unreachable" not in {row["status"] for row in said}
        assert switch.packets == 0  # nobody wakes it but a run
        missed = sum(sample["answered"] == 0 for sample in device.samples())

        run_id = watching.provision(NAME, device.id, BOOKWORM)
        watching.wait_for_step(run_id, "preflight", timeout=PATIENCE)
        assert switch.packets >= 1
        watching.api.post(f"runs/{run_id}/cancel").raise_for_status()
        assert watching.wait_for_end(run_id, timeout=120)["status"] == "cancelled"
        device.until(lambda now: now["status"] == "reachable", "it is reachable")
        assert sum(sample["answered"] == 0 for sample in device.samples()) == missed  # sleep is no outage
    finally:
        switch.socket.close()
