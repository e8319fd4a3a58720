from __future__ import annotations

import re

from matrix.machine import Listener, Machine


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("cron.service")
    assert re.search(r"^\* \* \* \* \* \S+ .*schedule:run", machine.sh("cat /etc/cron.d/forgelab-*"), re.M)
    return set()
