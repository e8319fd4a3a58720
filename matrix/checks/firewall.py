from __future__ import annotations

import re

from matrix.machine import Listener, Machine

WEB = {"nginx"}


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("ufw.service")
    shown = machine.run("ufw", "status", "verbose")
    assert "Status: active" in shown
    assert "deny (incoming)" in shown
    opened = {
        int(port)
        for port in re.findall(r"^(\d+)(?:/tcp)?(?: \(v6\))?\s+(?:ALLOW|LIMIT) IN\s+Anywhere", shown, re.M)
    }  # fmt: skip
    expected = {22, 80, 443} if machine.components & WEB else {22}
    assert opened == expected, shown
    named = {
        (int(port), network)
        for port, network in re.findall(r"^(\d+)(?:/tcp)?\s+(?:ALLOW|LIMIT) IN\s+(\d\S+)", shown, re.M)
    }  # fmt: skip
    networks = [*machine.config.get("allowed_networks", []), *machine.config.get("standby_networks", [])]
    assert named == {(port, network) for port in _served(machine) for network in networks}, shown
    return set()


def _served(machine: Machine) -> set[int]:
    """The ports that those in `allowed_networks` may reach."""
    ports = {"postgresql": 5432, "mariadb": 3306, "mysql": 3306, "redis": 6379, "memcached": 11211}
    return {ports[name] for name in machine.components & ports.keys()}
