from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.roles.helpers import load_plugin

OWNER = pwd.getpwuid(os.geteuid()).pw_name
GROUP = grp.getgrgid(os.getegid()).gr_name


@pytest.fixture
def removed(plugin: Callable[[str], ModuleType]) -> ModuleType:
    return plugin("modules.decommission")


@pytest.fixture
def files() -> ModuleType:
    return load_plugin("module_utils.files")


def test_what_came_last_goes_first_and_only_once(removed: ModuleType) -> None:
    components = [{"units": ["a", "shared"]}, {"units": ["shared", "b"]}]
    assert removed.in_order(components, "units") == ["b", "shared", "a"]


class TestUnits:
    STATES = {
        "runs": {"ActiveState": "active", "UnitFileState": "enabled"},
        "off": {"ActiveState": "inactive", "UnitFileState": "disabled"},
        "broken": {"ActiveState": "failed", "UnitFileState": "enabled-runtime"},
        "gone": {"ActiveState": "inactive", "UnitFileState": ""},
    }

    def stop(self, removed: ModuleType, monkeypatch: pytest.MonkeyPatch, dry: bool) -> tuple[object, list[list[str]]]:
        called: list[list[str]] = []
        monkeypatch.setattr(removed, "look_at", lambda units: {unit: self.STATES[unit] for unit in units})
        monkeypatch.setattr(removed, "run", lambda command, what: called.append(command[1:]))
        monkeypatch.setattr(removed, "systemctl", lambda arguments: None)
        return removed.stop(list(self.STATES), dry), called

    def test_that_run_are_stopped_and_those_enabled_disabled(
        self, removed: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told, called = self.stop(removed, monkeypatch, dry=False)
        assert told == (["runs", "broken"], ["runs", "broken"])
        assert called == [["stop", "runs"], ["stop", "broken"],
                          ["disable", "--quiet", "runs"], ["disable", "--quiet", "broken"]]  # fmt: skip

    def test_are_only_reported_in_check_mode(self, removed: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        told, called = self.stop(removed, monkeypatch, dry=True)
        assert told == (["runs", "broken"], ["runs", "broken"])
        assert called == []


class TestFiles:
    @pytest.fixture
    def device(self, tmp_path: Path) -> Path:
        (tmp_path / "main.conf").write_text("Managed by ForgeLab\n")
        (tmp_path / "main.conf.before-forgelab").write_text("Debian's\n")
        (tmp_path / "own.conf").write_text("password\n")
        (tmp_path / "link").symlink_to("own.conf")
        return tmp_path

    def take(self, removed: ModuleType, files: ModuleType, device: Path, dry: bool = False) -> tuple[list, object]:
        transaction = files.Transaction(dry=dry)
        names = [str(device / name) for name in ("main.conf", "own.conf", "link", "never-there")]
        return removed.take_away(transaction, names), transaction

    def test_go_and_what_stood_there_before_comes_back(
        self, removed: ModuleType, files: ModuleType, device: Path
    ) -> None:
        restored, transaction = self.take(removed, files, device)
        assert restored == [str(device / "main.conf")]
        assert {path.name: path.read_text() for path in device.iterdir()} == {"main.conf": "Debian's\n"}
        assert transaction.changed == [str(device / name) for name in ("main.conf", "own.conf", "link")]

    def test_stay_in_check_mode(self, removed: ModuleType, files: ModuleType, device: Path) -> None:
        restored, _ = self.take(removed, files, device, dry=True)
        assert restored == [str(device / "main.conf")]
        assert len(list(device.iterdir())) == 4


class TestFolders:
    @pytest.fixture(autouse=True)
    def configuration(self, removed: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(removed, "CONFIGURATION", (str(tmp_path / "etc"),))

    def test_of_configuration_go_when_nothing_is_left_in_them(self, removed: ModuleType, tmp_path: Path) -> None:
        inner = tmp_path / "etc/app/conf.d"
        inner.mkdir(parents=True)
        (inner / "x.conf").touch()
        names = [str(tmp_path / "etc/app"), str(inner)]
        assert removed.left_empty(names, [str(inner / "x.conf")]) == [str(inner), str(tmp_path / "etc/app")]
        assert removed.left_empty(names, []) == []

    def test_of_data_stay_even_empty(self, removed: ModuleType, tmp_path: Path) -> None:
        (tmp_path / "var").mkdir()
        assert removed.left_empty([str(tmp_path / "var"), str(tmp_path / "gone")], []) == []


def test_who_goes_on_running_is_reported(removed: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(removed, "look_at", lambda units: {unit: {"ActiveState": "active"} for unit in units})
    monkeypatch.setattr(removed, "run", lambda command, what: called.append(command))
    monkeypatch.setattr(removed, "systemctl", called.append)
    removed.tell_readers(["/etc/supervisor/conf.d/x.conf", "/etc/systemd/system/x.service"])
    assert called == [["daemon-reload"], ["supervisorctl", "update"]]


def test_data_goes_with_its_own_package_only(
    removed: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(removed.Path, "is_dir", lambda path: True)
    packages = ["redis-server", "mariadb-server", "postgresql-15", "postgresql-common", "nginx", "redis-tools"]
    assert removed.data_of(packages) == ["/var/lib/redis", "/var/lib/mysql", "/var/lib/postgresql/15"]


class TestPackages:
    """`redis-tools` was installed for one, and another needs `redis-server`, which needs the tools."""

    TAKES = {"redis-tools": "Purg redis-server [1]\nPurg redis-tools [1]\n", "nginx": "Purg nginx [1]\n"}

    @pytest.fixture
    def apt(self, monkeypatch: pytest.MonkeyPatch, removed: ModuleType) -> ModuleType:
        purge = load_plugin("module_utils.purge")
        self.called: list[list[str]] = []

        class Done:
            returncode, stderr = 0, ""

            def __init__(self, stdout: str) -> None:
                self.stdout = stdout

        def answer(command: list[str], **_: object) -> Done:
            if command[0] == "dpkg-query":
                return Done("".join(f"installed {name}\n" for name in command[3:] if name != "never-there"))
            self.called.append(command)
            return Done(self.TAKES.get(command[-1], ""))

        monkeypatch.setattr(purge.subprocess, "run", answer)
        return purge

    def test_that_a_kept_one_needs_stay(self, apt: ModuleType) -> None:
        assert apt.spared(["redis-tools", "nginx"], ["redis-server", "never-there"]) == ["redis-tools"]
        assert all(command[:3] == ["apt-get", "--simulate", "purge"] for command in self.called)

    def test_are_not_asked_about_where_nothing_is_kept(self, apt: ModuleType) -> None:
        assert apt.spared(["nginx"], []) == apt.spared(["nginx"], ["never-there", "nginx"]) == []
        assert self.called == []

    def test_that_came_along_with_what_goes_are_kept_for_their_own_sake(self, apt: ModuleType) -> None:
        apt.keep(["redis-tools", "never-there"])
        assert self.called == [["apt-mark", "manual", "redis-tools"]]
