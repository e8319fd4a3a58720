"""A device with several servers, and what is asked of ForgeLab and of the device about it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from forgelab.lab import LabDevice
from tests.support.stack import Stack

Join = Callable[..., tuple[LabDevice, str]]
LONG = 3600  # seconds: what a run may take at most
NETWORK = "10.78.0.0/24"


class Home:
    """One device, and what is asked of ForgeLab and of the device about it."""

    def __init__(self, stack: Stack, device: LabDevice, device_id: str) -> None:
        self.stack, self.device, self.device_id = stack, device, device_id

    def ask(self, server_type: str, name: str, **config: Any) -> Any:
        body = {"server_type": server_type, "name": name, "device_id": self.device_id, "config": config}
        return self.stack.api.post("infrastructure/provision", json=body)

    def provision(self, server_type: str, name: str, **config: Any) -> int:
        """How many tasks changed something."""
        answer = self.ask(server_type, name, **config)
        assert answer.status_code == 202, answer.text
        run = self.stack.wait_for_end(str(answer.json()["run"]["id"]), timeout=LONG)
        assert run["status"] == "succeeded", run["status_detail"]
        return sum(run["outcome"]["recap"]["changed"].values())

    def again(self, server_type: str, name: str) -> int:
        return self.provision(server_type, name, **self.server(name)["config"])

    def server(self, name: str) -> dict[str, Any]:
        return json.loads(self.stack.cli("server", "show", name, "--json").stdout)

    def planned(self, name: str) -> str:
        told = json.loads(self.stack.cli("server", "plan", name, "--json", timeout=LONG).stdout)["plan"]
        return told["summary"] if told["summary"] == "No changes" else json.dumps(told["steps"])

    def says(self, *command: str) -> str:
        return self.device.exec(list(command), check=False).stdout.strip()

    def firewall(self) -> dict[str, set[str]]:
        """By port, who may connect over IPv4; empty while ufw is off."""
        found: dict[str, set[str]] = {}
        for port, source in re.findall(r"^(\d+)/tcp\s+ALLOW\s+(\S+)", self.says("ufw", "status"), re.MULTILINE):
            found.setdefault(port, set()).add(source)
        return found

    def running(self, *units: str) -> list[str]:
        return self.says("systemctl", "is-active", *units).split()
