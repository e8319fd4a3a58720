from __future__ import annotations

from matrix.machine import Listener, Machine


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("forgelab-backup.timer")
    shown = machine.run(
        "systemctl", "show", "forgelab-backup.timer", "--property=TimersCalendar,NextElapseUSecRealtime"
    )
    assert f" {machine.config['backups_time']}:00" in shown
    folder = machine.run("stat", "-c", "%a %U", "/var/backups/forgelab", ok=(0, 1))
    assert "No such file" in folder or folder.strip() == "700 root"
    return set()
