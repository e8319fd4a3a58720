"""When a base is made, and when the one that is there is used. No device is needed for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.lab import Lab
from forgelab.lab.device import DeviceConfig, LabDevice
from tests.e2e import bases as module
from tests.e2e.bases import Base, Bases
from tests.e2e.config import BOOKWORM


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The snapshots that were made, from devices that are folders."""
    names: list[str] = []

    def make(bases: Bases, base: Base, snapshot: str) -> None:
        device = LabDevice(bases.lab.site, DeviceConfig(f"{snapshot}-made", 11, "bookworm", "/nowhere"))
        (device.home / "upper").mkdir(parents=True)
        bases.lab.snapshots.take(device, snapshot)
        device.discard()
        names.append(snapshot)

    monkeypatch.setattr(Bases, "_make", make)
    return names


@pytest.fixture
def bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bases:
    for name in ("DIR", "NET", "BRIDGE"):
        monkeypatch.delenv(f"FORGELAB_LAB_{name}", raising=False)
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles/nginx.yml").write_text("one")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return Bases(Lab(tmp_path / "lab"), lambda: pytest.fail("a ForgeLab was started"))


def test_a_base_is_made_once(bases: Bases, made: list[str]) -> None:
    bases.lab.site.dir.mkdir()
    first = bases.snapshot("packages")
    assert bases.snapshot("packages") == first
    assert made == [first]


def test_one_that_was_made_from_other_roles_is_replaced(bases: Bases, made: list[str], tmp_path: Path) -> None:
    bases.lab.site.dir.mkdir()
    old = bases.snapshot("packages")
    (tmp_path / "roles/nginx.yml").write_text("two")
    new = bases.snapshot("packages")
    assert made == [old, new]
    assert [snapshot.name for snapshot in bases.lab.snapshots.all()] == [new]


def test_other_options_make_another_base(bases: Bases, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bases.lab.site.dir.mkdir()
    bases.snapshot("packages")
    changed = Base("laravel-app-server", {**BOOKWORM, "include_redis": False})
    monkeypatch.setitem(module.BASES, "packages", changed)
    bases.snapshot("packages")
    assert len(set(made)) == 2


def test_one_that_somebody_stands_on_stays(bases: Bases, made: list[str], tmp_path: Path) -> None:
    bases.lab.site.dir.mkdir()
    old = bases.snapshot("packages")
    user = LabDevice(bases.lab.site, DeviceConfig("user", 12, "bookworm", "/nowhere", snapshots=[old]))
    user.home.mkdir(parents=True)
    user.save()
    (tmp_path / "roles/nginx.yml").write_text("two")
    new = bases.snapshot("packages")
    assert sorted(snapshot.name for snapshot in bases.lab.snapshots.all()) == sorted([old, new])
