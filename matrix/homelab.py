"""Makes the device of a case, provisions its server through the API, and takes everything away again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from forgelab.lab import Lab, LabDevice
from matrix.cases import THE_LAB, Case
from matrix.machine import Machine
from tests.support.stack import Stack

PREFIX = "mx-"
PATIENCE = 1800  # seconds for one run; how long it takes is reported, not asserted


@dataclass
class Homelab:
    lab: Lab
    stack: Stack

    @contextmanager
    def device(self, name: str, case: Case) -> Iterator[tuple[LabDevice, str]]:
        """A fresh device and its id in ForgeLab; switched off and gone afterwards."""
        for left in self.lab.devices():
            if left.name == PREFIX + name:
                left.remove()
        device = self.lab.up(PREFIX + name, image=case.image, memory=case.memory, cpus=2)
        try:
            yield device, self.stack.add(device, self.lab.key_path)
        finally:
            device.remove()

    def provision(self, name: str, server_type: str, device_id: str, config: dict[str, Any]) -> dict[str, Any]:
        """The run, ended well."""
        net = f"{self.lab.site.net}.0/24"
        config = {option: [net] if value == THE_LAB else value for option, value in config.items()}
        run = self.stack.wait_for_end(self.stack.provision(name, device_id, config, server_type), timeout=PATIENCE)
        assert run["status"] == "succeeded", run["status_detail"]
        return run

    def machine(self, device: LabDevice, name: str) -> Machine:
        rows = self.stack.api.get("infrastructure/servers", params={"limit": 200}).raise_for_status().json()["results"]
        server = next(row for row in rows if row["name"] == name)
        blocks = self.stack.api.get(f"infrastructure/servers/{server['id']}/credentials").raise_for_status().json()
        credentials = {b["title"]: {f["label"]: f["value"] for f in b["fields"]} for b in blocks}
        return Machine(device, server, credentials)

    def changed_tasks(self, run: dict[str, Any]) -> list[str]:
        """The tasks of the run that changed something, as its events show."""
        rows = self.stack.api.get(f"runs/{run['id']}/events", params={"limit": 2000}).raise_for_status().json()
        return [event["task"] for event in rows["results"] if event["changed"]]

    def plan(self, name: str) -> str:
        """What `forgelab server plan` says of the server."""
        return self.stack.cli("server", "plan", name).stdout
