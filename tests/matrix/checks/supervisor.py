from __future__ import annotations

import re

from tests.matrix.machine import Listener, Machine


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("supervisor.service")
    shown = machine.run("supervisorctl", "status", ok=(0, 3))
    wanted = machine.config.get("supervisor_workers")
    if wanted:
        assert len(re.findall(r"^\S+worker\S*\s", shown, re.M)) == wanted, shown
    assert "FATAL" not in shown and "BACKOFF" not in shown, shown
    return set()
