"""Reading the answer to the whole script. Pure, and tolerant: what only describes a device may be missing or odd."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any

from forgelab.devices.facts import disks, ports
from forgelab.devices.facts.figures import Figures, figures, pairs

# What firmware says when nobody has filled its form in.
FORM = re.compile(r"to be filled by o\.?e\.?m\.?|system product name|default string|not (applicable|specified)|"
                  r"none|unknown|o\.?e\.?m\.?|product name|type1productconfigid|empty", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True)
class Facts(Figures):
    """What `SCRIPT` found. Sizes in MiB, load in percent of the cores, uptime in seconds."""

    distribution: str
    distribution_version: str
    distribution_release: str
    architecture: str
    disk_kind: str
    model: str
    virtualisation: str
    mac_address: str
    disks: list[dict[str, Any]] = field(default_factory=list)
    listening: list[dict[str, Any]] = field(default_factory=list)


def parse(output: str) -> Facts:
    """Read the script's answer. Raises `ValueError` naming the figure that is missing or not a number."""
    measured = figures(output)
    found = pairs(output)
    values = dict(found)

    def text(name: str, length: int) -> str:
        return _plain(values.get(name, ""), length)

    def all_of(name: str) -> list[str]:
        return [value for key, value in found if key == name]

    kind = disks.root_kind(values.get("root_disk", ""))
    listed = disks.from_lsblk(values.get("disks", "")) or disks.from_sys(all_of("disk"))
    kinds = {disk["kind"] for disk in listed}
    if kind == "unknown" and not values.get("root_disk") and len(kinds) == 1:
        kind = kinds.pop()  # whichever of them root lies on: all are of one kind
    return Facts(
        **{item.name: getattr(measured, item.name) for item in fields(measured)},
        distribution=text("distribution", 32),
        distribution_version=text("distribution_version", 16),
        distribution_release=text("distribution_release", 32),
        architecture=text("architecture", 16),
        disk_kind=kind,
        model=_model(all_of("model")),
        virtualisation="" if text("virtualisation", 32) == "none" else text("virtualisation", 32),
        mac_address=_mac(values.get("mac_address", "")),
        disks=listed,
        listening=ports.from_ss(all_of("listens")) or ports.from_proc(all_of("bound")),
    )


def _plain(value: str, length: int) -> str:
    return "".join(character for character in value if character.isprintable()).strip()[:length]


def _model(said: list[str]) -> str:
    """The first name that somebody has filled in: the product's, else the board's."""
    names = [_plain(name, 128) for name in said]
    return next((name for name in names if name and not FORM.fullmatch(name)), "")


def _mac(text: str) -> str:
    """The card's address in small letters; empty for anything else, and for a card that has none."""
    plain = text.strip().lower()
    known = re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", plain) and plain.strip("0:")
    return plain if known else ""
