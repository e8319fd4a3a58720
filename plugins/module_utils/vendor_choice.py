"""Which vendors' repositories a run needs on this device, found out without changing it (runs on the device)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.forgelab.homelab.plugins.module_utils.apt import (
    in_series,
    product,
    series_of,
    versions_instead,
)
from ansible_collections.forgelab.homelab.plugins.module_utils.trial import PrivateApt, VendorFailed
from ansible_collections.forgelab.homelab.plugins.module_utils.vendors import (
    configured,
    described,
    parse_preferences,
    preferences_path,
    source_for,
    version_of,
    versions_wanted,
)

TOGETHER = 4
SHOWN_LINES = 6
UNKNOWN = (
    r"^E: Unable to locate package (\S+)$",
    r"^E: Package '([^']+)' has no installation candidate$",
    r"^E: Couldn't find any package by (?:glob|regex) '([^']+)'$",
    r"^E: Version '[^']*' for '([^']+)' was not found$",
)


@dataclass
class Choice:
    """`sources` the device is to have and names it is no longer to have (`absent`); which packages come from them
    (`found`), why others do not and what to do (`troubles`, by package)."""

    sources: list[dict[str, Any]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    troubles: dict[str, tuple[str, str]] = field(default_factory=dict)


def choose(
    vendors: Sequence[Mapping[str, Any]],
    release: str,
    wanted: Sequence[str],
    missing: Sequence[str],
    installed: set[str],
    series: Mapping[str, str] | None = None,
) -> Choice:
    """For the packages of a run: those `wanted` of which some are `missing` in all sources of this device, which runs
    the distribution `release` and has the packages `installed`. A version that was once taken from a vendor is
    looked after by it as long as one of its packages is wanted or installed. `series`: which versions are wanted of
    packages whose name does not say it."""
    choice = Choice()
    tried: list[tuple[dict[str, Any], list[str]]] = []
    for vendor in vendors:
        here = configured(vendor["name"])
        kept = _kept(vendor, [*wanted, *installed]) if here else set()
        lacking = versions_wanted(vendor, missing)
        fresh = [name for name in wanted if name not in installed and name not in missing]
        beyond = _beyond(vendor, fresh, kept) if here else set()
        versions = kept | set(lacking) | beyond
        suite = vendor["suites"].get(release)
        names = [name for group in lacking.values() for name in group]
        if not versions:
            choice.absent += [vendor["name"]] if here else []
        elif not suite:
            nothing = f"{vendor['title']} has nothing for {release}"
            choice.troubles |= dict.fromkeys(names, (nothing, "choose another device"))
        elif names:
            tried.append((source_for(vendor, suite, versions), names))
        else:
            choice.sources.append(source_for(vendor, suite, versions))
    if tried:
        fresh = [name for name in wanted if name not in installed]
        with PrivateApt() as apt:
            _try(apt, tried, [name for name in fresh if name not in missing], choice, series or {})
    return choice


def _kept(vendor: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    """The versions that this device takes from the vendor already and still needs."""
    try:
        patterns, _ = parse_preferences(preferences_path(vendor["name"]).read_text())
    except OSError:
        return set()
    # A pattern such as php8.3-* reads like the package whose name it is, so its version is found in the same way.
    pinned = {version_of(template, pattern) for template in vendor["packages"] for pattern in patterns}
    return pinned & set(versions_wanted(vendor, names))


def _beyond(vendor: Mapping[str, Any], names: Iterable[str], kept: set[str]) -> set[str]:
    """Versions with a candidate only because the vendor's repository is there already, for another version's sake."""
    asked = {version: group for version, group in versions_wanted(vendor, names).items() if version not in kept}
    if not asked:
        return set()
    with PrivateApt() as apt:
        apt.join_device(without=[vendor["name"]])
        return {version for version, group in asked.items() if apt.trouble(group)}


def _try(
    apt: PrivateApt,
    tried: Sequence[tuple[dict[str, Any], list[str]]],
    others: Sequence[str],
    choice: Choice,
    series: Mapping[str, str],
) -> None:
    """Put into `choice` what the tried sources bring, all packages of the run taken together."""

    def add(item: tuple[dict[str, Any], list[str]]) -> str:
        try:
            apt.add(item[0])
        except VendorFailed as problem:
            return str(problem)
        return ""

    with ThreadPoolExecutor(max_workers=TOGETHER) as pool:
        failures = list(pool.map(add, tried))
    usable = [item for item, failure in zip(tried, failures, strict=True) if not failure]
    for (_, names), failure in zip(tried, failures, strict=True):
        if failure:
            choice.troubles |= dict.fromkeys(names, (failure, "put right what is wrong with that repository"))
    if not usable:
        return
    own = apt.known()
    apt.join_device(without=[source["name"] for source, _ in usable])
    lacking = [name for _, names in usable for name in names]
    trouble = apt.trouble([*others, *lacking])
    unknown = _unknown(trouble) & set(lacking)
    unknown |= {name for name in lacking if name in series and not in_series(apt.candidate(name), series[name])}
    for source, names in usable:
        if gone := [name for name in names if name in unknown]:
            choice.troubles |= {name: _offers(apt, source, name, own, series) for name in gone}
        elif trouble and not unknown:
            unmet = f"{described(source)} has it, but not in a way that fits this device ({_unmet(trouble)})"
            choice.troubles |= dict.fromkeys(names, (unmet, "another device"))
        else:
            choice.sources.append(source)
            choice.found += names


def _unknown(said: str) -> set[str]:
    return {name for pattern in UNKNOWN for name in re.findall(pattern, said, re.M)}


def _offers(
    apt: PrivateApt, source: Mapping[str, Any], name: str, known: Sequence[str], series: Mapping[str, str]
) -> tuple[str, str]:
    """What the vendor has instead of a package, and what to do."""
    others = versions_instead(name, known)
    if name in series and (offered := apt.candidate(name)):
        others = [series_of(offered)]
    title = product(name)[0]
    instead = f"; it offers {' or '.join(f'{title} {other}' for other in others)}" if others else ""
    wanted = f" {series[name]}" if name in series else ""
    fix = f"one that {source['title']} offers" if others else "another device"
    return f"{described(source)} does not have {name}{wanted} either{instead}", fix


def _unmet(said: str) -> str:
    """The lines in which apt says what does not fit together."""
    _, _, unmet = said.partition("unmet dependencies:")
    lines = [re.sub(r"\s+", " ", line).strip() for line in (unmet or said).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("N:", "W:"))]
    return "; ".join([line for line in told if not unmet or not line.startswith("E:")][:SHOWN_LINES]).rstrip(".")
