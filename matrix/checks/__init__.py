"""What must be true of a component on a device, asked of the service itself. One file each, by the role's name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from matrix.machine import ANYWHERE, Listener, Machine

# Returns what the component listens on: nothing else may.
Check = Callable[[Machine], set[Listener]]

SSH = Listener("tcp", 22, ANYWHERE, "sshd")
# Packages that are there only with the component.
PACKAGES = {
    "composer": "composer",
    "mariadb": "mariadb-server",
    "memcached": "memcached",
    "mysql": "mysql-server",
    "postgresql": "postgresql",
    "redis": "redis-server",
    "supervisor": "supervisor",
    "firewall": "ufw",
}


def checks() -> dict[str, Check]:
    """Every component's check by its name."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return {name: importlib.import_module(f"{__name__}.{name}").check for name in names}


def verify(machine: Machine) -> None:
    """Everything about the server; fails with the first thing that is not so."""
    known = checks()
    unknown = machine.components - known.keys()
    assert not unknown, f"nobody checks {', '.join(sorted(unknown))}: add matrix/checks/NAME.py"
    expected = {SSH}
    for name in sorted(machine.components):
        expected |= known[name](machine)
    listening = machine.listeners()
    assert listening == expected, f"unexpected {sorted(listening - expected)}, missing {sorted(expected - listening)}"
    assert machine.failed_units() == []
    for name, package in PACKAGES.items():
        if name not in machine.components:
            assert not machine.installed(package), f"{package} is installed, though nobody asked for {name}"
