"""Which devices the lab has, read from their folders while others make and remove some."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forgelab.lab import Lab, LabDevice, LabError


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    for number, name in enumerate(("one", "two"), start=11):
        folder = lab.site.devices / name
        folder.mkdir(parents=True)
        config = {"name": name, "number": number, "image": "bookworm", "layer": "/nowhere"}
        (folder / "device.json").write_text(json.dumps(config))
    return lab


def test_they_are_listed_by_name(lab: Lab) -> None:
    assert [(device.name, device.config.number) for device in lab.devices()] == [("one", 11), ("two", 12)]


def test_one_that_is_removed_meanwhile_is_left_out(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    load = LabDevice.load

    def too_late(site: object, name: str) -> LabDevice:
        (lab.site.devices / "one" / "device.json").unlink(missing_ok=True)
        return load(lab.site, name)

    monkeypatch.setattr(LabDevice, "load", too_late)
    assert [device.name for device in lab.devices()] == ["two"]


def test_one_that_cannot_be_read_is_reported_since_its_number_is_taken(lab: Lab) -> None:
    (lab.site.devices / "two" / "device.json").write_text("{")
    with pytest.raises(LabError, match="two"):
        lab.devices()
