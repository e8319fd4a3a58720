from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.roles.helpers import load_plugin

STATUS = (
    "installed\tnginx\tamd64\n"
    "config-files\tapache2\tamd64\n"
    "half-configured\tphp8.2-fpm\tamd64\n"
    "installed\tlibc6\tamd64\n"
    "not-installed\tlibc6\ti386\n"
)


@pytest.fixture
def state() -> ModuleType:
    return load_plugin("module_utils.dpkg")


@pytest.fixture
def hold() -> ModuleType:
    return load_plugin("module_utils.hold")


def test_only_what_is_not_installed_is_missing(state: ModuleType) -> None:
    found = state.parse_statuses(STATUS)
    names = ["nginx", "apache2", "redis", "redis", "libc6", "libc6:i386"]
    assert state.missing(names, found) == ["apache2", "redis", "libc6:i386"]


def test_packages_that_stopped_half_way_are_found(state: ModuleType) -> None:
    assert state.unsettled(state.parse_statuses(STATUS)) == ["php8.2-fpm"]


def test_a_wanted_version_is_always_left_to_apt(state: ModuleType) -> None:
    assert state.missing(["nginx=1.22.*"], state.parse_statuses(STATUS)) == ["nginx=1.22.*"]


def asked(policy: Path, service: str, action: str, environment: dict[str, str]) -> int:
    return subprocess.run([policy, service, action], env={**os.environ, **environment}).returncode


def test_the_services_named_are_not_started_and_all_others_are(hold: ModuleType, tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with hold.held(["nginx.service", "postgresql@15-main.service"], policy) as environment:
        assert asked(policy, "nginx.service", "start", environment) == 101
        assert asked(policy, "postgresql", "start", environment) == 101
        assert asked(policy, "nginx", "restart", environment) == 101  # it does not run here
        assert asked(policy, "nginx", "stop", environment) == 0
        assert asked(policy, "ssh.service", "start", environment) == 0
        # What a run that was cut off leaves behind forbids nobody anything.
        assert asked(policy, "nginx.service", "start", {}) == 0
    assert not policy.exists()


def test_a_policy_of_the_users_own_is_left_alone(hold: ModuleType, tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 0\n")
    with hold.held(["nginx.service"], policy) as environment:
        assert environment == {}
    assert policy.read_text() == "#!/bin/sh\nexit 0\n"


def test_what_was_installed_is_noted_for_whom(plugin) -> None:
    module = plugin("modules.install_packages")
    owners = {"redis": ["redis-server"], "nginx": ["nginx", "logrotate"], "php": ["logrotate"]}
    assert module.noted(["redis-server", "logrotate"], owners) == {
        "redis": ["redis-server"], "nginx": ["logrotate"], "php": ["logrotate"],
    }  # fmt: skip
