"""Which versions of a component there are, until when each is supported, and who offers it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from forgelab.recipes.versions.vendors import Vendor

VENDOR, BINARIES = "vendor", "binaries"  # sources of a version that are no distribution


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
class Version:
    """`supported_until` is None where no end is announced; `sources` are releases (`bookworm`), VENDOR, BINARIES."""

    supported_until: date | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binaries:
    """Official binaries that a role installs by itself, and the processors that they are for (as `uname -m`)."""

    title: str
    architectures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArchitectureLimit:
    """A version that comes from `source` for some processors only; the distributions' `releases` have it for all."""

    source: str
    architectures: tuple[str, ...]
    releases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of one role's component, as its `meta/forgelab.yml` declares them.

    `source` says where the dates were read, `choices` what can be asked for, `recommended` what is offered first where
    the role works out its default by itself. `releases` maps the supported distributions' releases to their titles.
    """

    known: Mapping[str, Version] = field(default_factory=dict)
    source: str = ""
    choices: tuple[str, ...] = ()
    recommended: str = ""
    vendor: Vendor | None = None
    binaries: Binaries | None = None
    releases: Mapping[str, str] = field(default_factory=dict)

    def support(self, version: str, today: date) -> SupportStatus:
        """The status of a version on this day; of a series (`7` for 7.0, 7.2) that of its longest supported."""
        ends = [each.supported_until for each in self._matching(version)]
        if not ends:
            return SupportStatus(known=False, end=None, ended=False)
        end = None if None in ends else max(filter(None, ends))
        return SupportStatus(known=True, end=end, ended=end is not None and end < today)

    def carried(self) -> dict[str, str]:
        """Which version each release of a distribution carries: {"bookworm": "8.2"}."""
        return {
            source: name
            for name, version in self.known.items()
            for source in version.sources
            if source not in (VENDOR, BINARIES)
        }

    def origins(self, version: str) -> tuple[str, ...]:
        """Who offers a version, or one of a series: binaries, distributions, then the vendor (`vendor.example`)."""
        sources = {source for each in self._matching(version) for source in each.sources}
        found = [self.binaries.title] if self.binaries and BINARIES in sources else []
        found += [title for release, title in self.releases.items() if release in sources]
        return (*found, self.vendor.title) if self.vendor and VENDOR in sources else tuple(found)

    def limited_to(self, version: str) -> ArchitectureLimit | None:
        """Where a version does not come to every processor; None where it does, or nothing is known."""
        sources = self.known[version].sources if version in self.known else ()
        if not self.binaries or BINARIES not in sources:
            return None
        releases = [source for source in sources if source not in (VENDOR, BINARIES)]
        releases += self.vendor.suites if self.vendor and VENDOR in sources else ()
        return ArchitectureLimit(self.binaries.title, self.binaries.architectures, tuple(releases))

    def _matching(self, version: str) -> Iterator[Version]:
        if version in self.known:
            yield self.known[version]
        else:
            yield from (each for name, each in self.known.items() if version and name.startswith(f"{version}."))
