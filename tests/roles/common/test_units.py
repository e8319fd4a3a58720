"""Units of systemd: which are enabled and started, and which have not read their configuration yet."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.roles.helpers import load_plugin


@pytest.fixture
def units() -> ModuleType:
    return load_plugin("module_utils.units")


SHOWN = """LoadState=loaded
ActiveState=active
UnitFileState=enabled
StateChangeTimestampMonotonic=5000000

LoadState=loaded
ActiveState=inactive
UnitFileState=disabled
StateChangeTimestampMonotonic=0
"""


def fake_systemctl(calls: list[list[str]], shown: str = SHOWN) -> Callable[..., Any]:
    def run(arguments: Any) -> subprocess.CompletedProcess[str]:
        calls.append(list(arguments))
        return subprocess.CompletedProcess(arguments, 0, shown if arguments[0] == "show" else "", "")

    return run


def test_only_units_that_are_off_are_touched(units: ModuleType) -> None:
    calls: list[list[str]] = []
    assert units.ensure_units(["a.service", "b.service"], dry=False, run=fake_systemctl(calls)) == {
        "b.service": ["enable", "start"]
    }
    assert calls[1:] == [["enable", "b.service"], ["start", "b.service"]]


def test_systemd_reloads_for_a_new_drop_in_before_a_unit_is_started(units: ModuleType) -> None:
    calls: list[list[str]] = []
    written = ["/etc/systemd/system/b.service.d/forgelab.conf"]
    units.ensure_units(["a.service", "b.service"], dry=False, run=fake_systemctl(calls), changed=written)
    assert calls[1] == ["daemon-reload"]
    assert calls[-1] == ["start", "b.service"]


def test_in_check_mode_no_unit_is_touched(units: ModuleType) -> None:
    calls: list[list[str]] = []
    assert units.ensure_units(["a.service", "b.service"], dry=True, run=fake_systemctl(calls)) == {
        "b.service": ["enable", "start"]
    }
    assert len(calls) == 1


def test_a_masked_unit_is_refused_with_the_way_out(units: ModuleType) -> None:
    shown = "LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n"
    with pytest.raises(units.UnitFailed, match=r"systemctl unmask a\.service"):
        units.ensure_units(["a.service"], dry=False, run=fake_systemctl([], shown))


def test_a_service_older_than_its_configuration_is_found(units: ModuleType) -> None:
    state = {"ActiveState": "active", "StateChangeTimestampMonotonic": "5000000"}
    started = 1000.0
    now, monotonic = started + 100, 105.0
    assert units.unread_since(state, started + 1, now, monotonic)
    assert not units.unread_since(state, started - 1, now, monotonic)
    assert not units.unread_since(state, now + 3600, now, monotonic)
    assert not units.unread_since({**state, "ActiveState": "inactive"}, started + 1, now, monotonic)


def test_a_service_whose_last_reload_failed_has_not_read_its_configuration(units: ModuleType) -> None:
    state = {"ActiveState": "active", "StateChangeTimestampMonotonic": "5000000", "ReloadResult": "exit-code"}
    assert units.unread_since(state, 1.0, now=1000.0, monotonic=105.0)
    assert not units.unread_since({**state, "ReloadResult": "success"}, 1.0, now=1000.0, monotonic=105.0)
