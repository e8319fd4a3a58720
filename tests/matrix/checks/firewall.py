from __future__ import annotations

import re

from tests.matrix.machine import Listener, Machine

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
    return set()
