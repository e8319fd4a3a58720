"""Snapshots as folders: made, listed, refused and removed. tests/e2e/test_snapshots.py has real devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgelab.lab import Lab, LabDevice, LabError, layers
from forgelab.lab.device import DeviceConfig


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    for name in ("DIR", "NET", "BRIDGE"):
        monkeypatch.delenv(f"FORGELAB_LAB_{name}", raising=False)
    return Lab(tmp_path)


@pytest.fixture
def shop(lab: Lab) -> LabDevice:
    return make(lab, "shop", 11)


def make(lab: Lab, name: str, number: int, **fields: object) -> LabDevice:
    device = LabDevice(lab.site, DeviceConfig(name, number, "bookworm", str(lab.site.dir / "image"), **fields))
    (device.home / "upper").mkdir(parents=True)
    (device.home / "upper/data").write_text(f"of {name}")
    device.save()
    return device


def test_the_disk_becomes_a_layer_below_the_device_it_was_of(lab: Lab, shop: LabDevice) -> None:
    made = lab.snapshot("shop", "kept")
    assert (made.device, made.image, made.stack) == ("shop", "bookworm", ["kept"])
    assert [each.name for each in lab.snapshots.all()] == ["kept"]
    shop = lab.device("shop")
    assert shop.config.snapshots == ["kept"]
    assert shop.disk.read("data") == "of shop"
    assert list((shop.home / "upper").iterdir()) == []


def test_a_name_is_taken_once(lab: Lab, shop: LabDevice) -> None:
    lab.snapshot("shop", "kept")
    with pytest.raises(LabError, match=r"There is a snapshot kept already.*--remove kept"):
        lab.snapshot("shop", "kept")


@pytest.mark.parametrize("name", ["Kept", "../kept", ""])
def test_a_name_that_is_none_is_refused(lab: Lab, shop: LabDevice, name: str) -> None:
    with pytest.raises(LabError, match="name: "):
        lab.snapshot("shop", name)
    assert lab.device("shop").config.snapshots == []


def test_more_layers_than_can_be_mounted_are_refused_with_the_way_out(lab: Lab) -> None:
    make(lab, "deep", 12, snapshots=[f"s{n}" for n in range(layers.LIMIT)])
    with pytest.raises(LabError, match=r"deep stands on 50 snapshots.*--from SNAPSHOT"):
        lab.snapshot("deep", "kept")


def test_what_is_in_use_is_not_removed_and_its_users_are_named(lab: Lab, shop: LabDevice) -> None:
    lab.snapshot("shop", "kept")
    lab.snapshot("shop", "above")
    with pytest.raises(LabError, match=r"kept is in use by device shop, snapshot above\. Remove what uses it first"):
        lab.remove_snapshot("kept")
    lab.device("shop").discard()
    lab.remove_snapshot("above")
    lab.remove_snapshot("kept")
    assert lab.snapshots.all() == []


def test_one_of_another_network_is_refused_with_the_way_out(lab: Lab, shop: LabDevice) -> None:
    lab.snapshot("shop", "kept")
    other = Lab(lab.site.dir, net="10.79.0")
    with pytest.raises(LabError, match=r"network 10\.78\.0\.0/24.*FORGELAB_LAB_NET=10\.78\.0"):
        other.snapshots.starting_point("kept")


def test_a_crash_before_the_disk_was_moved_leaves_the_device_as_it_was(
    lab: Lab, shop: LabDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def crash(path: Path, to: Path) -> Path:
        if path.name == "upper":
            raise KeyboardInterrupt
        return rename(path, to)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", crash)
        lab.snapshot("shop", "kept")
    assert lab.snapshots.all() == []
    assert lab.device("shop").disk.read("data") == "of shop"
    with pytest.raises(LabError, match="There is no snapshot kept"):
        lab.remove_snapshot("kept")
    lab.snapshot("shop", "later")
    assert lab.device("shop").disk.read("data") == "of shop"


def test_one_that_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(LabError, match="There is no snapshot ghost; `forgelab lab snapshots` lists them"):
        lab.snapshots.starting_point("ghost")
