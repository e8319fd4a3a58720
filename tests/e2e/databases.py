"""Database Servers for tests: provisioned by ForgeLab, asked on their devices, logged in to as an application would."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from typing import Any

import psycopg

from forgelab.lab import LabDevice
from tests.support.stack import Stack


@dataclass
class Database:
    """A Database Server of ForgeLab's on a lab device."""

    stack: Stack
    device: LabDevice
    device_id: str
    name: str
    config: dict[str, Any]

    def start(self, **changes: Any) -> str:
        """Ask for it with these options changed from now on; the run's id."""
        self.config.update(changes)
        body = {
            "server_type": "database-server", "name": self.name, "device_id": self.device_id, "config": self.config,
        }  # fmt: skip
        answer = self.stack.api.post("infrastructure/provision", json=body)
        assert answer.status_code == 202, answer.text
        found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", json.dumps(answer.json()["run"]))
        assert found
        return found[0]

    def provision(self, **changes: Any) -> dict[str, Any]:
        """The same, and the run once it has ended."""
        return self.stack.wait_for_end(self.start(**changes))

    def credentials(self) -> dict[str, str]:
        servers = self.stack.api.get("infrastructure/servers").raise_for_status().json()
        servers = servers["results"] if isinstance(servers, dict) else servers
        server = next(server for server in servers if server["name"] == self.name)
        told = self.stack.api.get(f"infrastructure/servers/{server['id']}/credentials").raise_for_status().json()
        blocks = told.get("credentials", told) if isinstance(told, dict) else told
        return {field["label"]: field["value"] for field in blocks[0]["fields"]}

    def login(self, **other: Any) -> psycopg.Connection:
        """A connection of the application's user from this machine; every statement is a transaction."""
        known = self.credentials()
        names = {"dbname": known["Database"], "user": known["User"], "password": known["Password"], **other}
        return psycopg.connect(host=self.device.address, connect_timeout=5, autocommit=True, **names)

    def ask(self, question: str) -> str:
        """What PostgreSQL itself answers on the device, as its superuser."""
        command = ["runuser", "-u", "postgres", "--", "psql", "-XAt", "-c", question]
        return self.device.exec(command).stdout.strip()

    def memory_mb(self) -> int:
        found = re.search(r"MemTotal:\s+(\d+) kB", self.device.exec(["cat", "/proc/meminfo"]).stdout)
        assert found
        return int(found[1]) // 1024

    def listens(self, port: int) -> set[str]:
        lines = self.device.exec(["ss", "-Hltn"]).stdout.splitlines()
        return {line.split()[3] for line in lines if line.split()[3].endswith(f":{port}")}


def succeeded(run: dict[str, Any]) -> int:
    """How many tasks changed something; the run must have succeeded."""
    assert run["status"] == "succeeded", run["status_detail"]
    return sum(run["outcome"]["recap"]["changed"].values())


def is_shut(address: str, port: int) -> bool:
    """Whether this machine gets no answer there at all."""
    try:
        socket.create_connection((address, port), timeout=3).close()
    except TimeoutError:
        return True
    return False


GREETING = """
import socket, sys
try:
    link = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
except TimeoutError:
    sys.exit("shut")
link.settimeout(5)
print(link.recv(200)[4:] if sys.argv[3:] else b"open")
"""


def reach(device: LabDevice, address: str, port: int, *, listen: bool = False) -> str:
    """What `device` meets there: `shut`, `open`, or with `listen` the first thing it receives."""
    command = ["python3", "-c", GREETING, address, str(port), *(["listen"] if listen else [])]
    done = device.exec(command, check=False)
    return (done.stdout or done.stderr).strip()
