"""Which versions of a component are still mended by their makers, and which a distribution carries: `versions.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from forgelab.recipes.versions.vendors import shipped_vendors

DATA = Path(__file__).parent / "versions.yaml"
DISTRIBUTIONS = {"bookworm": "Debian 12", "trixie": "Debian 13", "jammy": "Ubuntu 22.04", "noble": "Ubuntu 24.04"}


@dataclass(frozen=True, slots=True)
class SupportStatus:
    """Whether a version is supported on a day. `end` is the last day of security support, if one is announced."""

    known: bool
    end: date | None
    ended: bool

    @property
    def note(self) -> str:
        """`end of life since 2023-11-26`, or "" while it is supported or nothing is known."""
        return f"end of life since {self.end}" if self.ended else ""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A component's versions: `ends` maps each to its last day of support, `distributions` says who carries which.

    `others` names further places that ForgeLab's role takes versions from by itself: `versions`, `architectures`.
    """

    source: str
    ends: Mapping[str, date | None]
    distributions: Mapping[str, str]
    others: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)


@cache
def lifecycles() -> Mapping[str, Lifecycle]:
    """Everything in `versions.yaml`, by role."""
    return {name: Lifecycle(**data) for name, data in yaml.safe_load(DATA.read_text("utf-8")).items()}


def support(component: str, version: str, today: date) -> SupportStatus:
    """The status of a version on this day; of a whole series (`7` for 7.0, 7.2, ...) that of its longest supported."""
    lifecycle = lifecycles().get(component)
    ends = _ends(lifecycle.ends, version) if lifecycle else []
    if not ends:
        return SupportStatus(known=False, end=None, ended=False)
    end = None if None in ends else max(filter(None, ends))
    return SupportStatus(known=True, end=end, ended=end is not None and end < today)


def offered_by(distribution_release: str) -> dict[str, str]:
    """What a distribution carries by itself, such as {"php": "8.2", ...} for "bookworm"; {} for an unknown one."""
    return {
        name: lifecycle.distributions[distribution_release]
        for name, lifecycle in lifecycles().items()
        if distribution_release in lifecycle.distributions
    }


def origins(component: str, version: str) -> tuple[str, ...]:
    """Who offers a version (or one of a series): distributions first, then the vendor, such as `vendor.example`."""
    lifecycle, vendor = lifecycles().get(component), shipped_vendors().get(component)
    found: list[str] = []
    if lifecycle:
        found += [name for name, offered in lifecycle.others.items() if version in offered["versions"]]
        found += [
            DISTRIBUTIONS.get(release, release)
            for release, carried in lifecycle.distributions.items()
            if carried == version or carried.startswith(f"{version}.")
        ]
    if vendor and version in vendor.versions:
        found.append(vendor.title)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class OnlyFor:
    """A further place from which a version comes, for some processors only; `releases` have it for all."""

    source: str
    architectures: tuple[str, ...]
    releases: tuple[str, ...]


def only_for(component: str, version: str) -> OnlyFor | None:
    """Where a version does not come to every processor; None where it does, or nothing is known."""
    lifecycle, vendor = lifecycles().get(component), shipped_vendors().get(component)
    for source, offered in lifecycle.others.items() if lifecycle else ():
        if lifecycle and version in offered["versions"]:
            releases = [release for release, carried in lifecycle.distributions.items() if carried == version]
            releases += vendor.suites if vendor and version in vendor.versions else ()
            return OnlyFor(source, tuple(offered["architectures"]), tuple(releases))
    return None


def _ends(ends: Mapping[str, date | None], version: str) -> list[date | None]:
    if version in ends:
        return [ends[version]]
    return [end for other, end in ends.items() if other.startswith(f"{version}.")]
