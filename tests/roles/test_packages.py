from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

STATUS = (
    "installed\tnginx\tamd64\n"
    "config-files\tapache2\tamd64\n"
    "half-configured\tphp8.2-fpm\tamd64\n"
    "installed\tlibc6\tamd64\n"
    "not-installed\tlibc6\ti386\n"
)


@pytest.fixture
def state(plugin: Callable[[str], ModuleType]) -> ModuleType:
    return plugin("packages/library/packages_state.py")


def test_only_what_is_not_installed_is_missing(state: ModuleType) -> None:
    found = state.parse_statuses(STATUS)
    names = ["nginx", "apache2", "redis", "redis", "libc6", "libc6:i386"]
    assert state.missing(names, found) == ["apache2", "redis", "libc6:i386"]


def test_packages_that_stopped_half_way_are_found(state: ModuleType) -> None:
    assert state.unsettled(state.parse_statuses(STATUS)) == ["php8.2-fpm"]


def test_a_wanted_version_is_always_left_to_apt(state: ModuleType) -> None:
    assert state.missing(["nginx=1.22.*"], state.parse_statuses(STATUS)) == ["nginx=1.22.*"]
