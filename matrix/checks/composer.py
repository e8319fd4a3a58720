from __future__ import annotations

import re

from matrix.machine import Listener, Machine


def check(machine: Machine) -> set[Listener]:
    shown = machine.run("composer", "--no-ansi", "--no-interaction", "--version")
    assert re.search(r"version 2\.", shown)
    return set()
