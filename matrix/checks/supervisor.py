from __future__ import annotations

import re

from matrix.machine import Listener, Machine


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("supervisor.service")
    shown = machine.run("supervisorctl", "status", ok=(0, 3))
    horizon = machine.config.get("supervisor_horizon")
    wanted = 0 if horizon else machine.config["supervisor_workers"]
    assert len(re.findall(r"^\S+-worker_\d+\s", shown, re.M)) == wanted, shown
    assert len(re.findall(r"^\S*horizon\S*\s", shown, re.M)) == (1 if horizon else 0), shown
    assert "FATAL" not in shown and "BACKOFF" not in shown, shown
    return set()
