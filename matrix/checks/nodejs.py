from __future__ import annotations

import re

from matrix.machine import Listener, Machine


def check(machine: Machine) -> set[Listener]:
    assert machine.run("node", "--version").startswith(f"v{machine.config['nodejs_version']}.")
    assert re.match(r"\d+\.\d+", machine.run("npm", "--version"))
    assert re.match(r"\d+\.\d+", machine.run("yarn", "--version"))
    assert machine.run("node", "-e", "console.log(6 * 7)").strip() == "42"
    return set()
