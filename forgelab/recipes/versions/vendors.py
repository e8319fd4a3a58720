"""Vendors' package repositories, and what somebody changed of them for a mirror: `vendors.yaml`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from forgelab.lib.problems import Problems
from forgelab.lib.reader import Reader, text_at
from forgelab.lib.yamlfile import parse

DATA = Path(__file__).parent / "vendors.yaml"
URL = r"https?://[^\s/]+(?:/\S*)?|file:/\S+"
URL_MEANS = "an address such as https://mirror.homelab.local/php"
WORD = r"[A-Za-z0-9._~+/-]{1,80}"
# Pattern and meaning of every text, and of the items of every list.
TEXTS = {
    "name": (r"[a-z0-9][a-z0-9-]{0,39}", "lowercase letters, digits and hyphens"),
    "title": (r"[^${}]{1,80}", "a name for people"),
    "base_url": (URL, URL_MEANS),
    "key_url": (URL, URL_MEANS),
    "source": (URL, URL_MEANS),
}
LISTS = {
    "fingerprints": (r"[0-9A-F]{40}|[0-9A-F]{64}", "a key's full fingerprint, 40 or 64 hexadecimal digits in capitals"),
    "components": (WORD, "the name of a component, such as main"),
    "packages": (
        r"(?:[a-z0-9*]|\$\{version\})(?:[a-z0-9+.*?-]|\$\{version\}){0,99}",
        "a package's name; * and ${version} are allowed",
    ),
    "shared": (r"[a-z0-9][a-z0-9+.*?-]{0,99}", "a package's name; * is allowed"),
    "versions": (r"[0-9]+(?:\.[0-9]+)*", "a version, in quotes"),
}
NEEDED = ("name", "title", "base_url", "key_url", "fingerprints", "suites", "packages")
KEYS = (*TEXTS, *LISTS, "suites")


@dataclass(frozen=True, slots=True)
class Vendor:
    """Where one component comes from when the distribution lacks its version; see the head of `vendors.yaml`."""

    name: str
    title: str
    base_url: str
    key_url: str
    fingerprints: tuple[str, ...]
    suites: Mapping[str, str]
    packages: tuple[str, ...]
    source: str = ""
    components: tuple[str, ...] = ("main",)
    shared: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    def planned(self) -> dict[str, Any]:
        """What a device has to know of it, as the role preflight takes it."""
        known = dataclasses.asdict(self) | {"suites": dict(self.suites)}
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in known.items()
            if key not in ("source", "versions")
        }


@cache
def shipped_vendors() -> Mapping[str, Vendor]:
    """The vendors that ForgeLab knows, by component."""
    return _read(_document(DATA), base={})


def vendors(own: Path) -> Mapping[str, Vendor]:
    """The same with what the file `own` changes or adds, if it exists.

    Raises DocumentError naming line and key of what is wrong in it.
    """
    if not own.is_file():
        return shipped_vendors()
    return _read(_document(own), base=_document(DATA).data)


@dataclass(frozen=True, slots=True)
class _Source:
    data: Mapping[str, Mapping[str, object]]
    problems: Problems


def _document(path: Path) -> _Source:
    document = parse(path.read_bytes())
    problems = Problems(document.lines)
    top = Reader(document.data or {}, "", problems)
    return _Source({key: _section(key, value, problems) for key, value in top.data.items()}, problems)


def _section(key: str, value: object, problems: Problems) -> Mapping[str, object]:
    return Reader(value, key, problems, KEYS).data


def _read(source: _Source, base: Mapping[str, Mapping[str, object]]) -> Mapping[str, Vendor]:
    """`base` with the keys of `source` laid over it, section by section."""
    found = {}
    for component in {**base, **source.data}:
        merged = {**base.get(component, {}), **source.data.get(component, {})}
        found[component] = _vendor(component, merged, source.problems)
    source.problems.raise_any()
    names = [vendor.name for vendor in found.values() if vendor]
    for name in {name for name in names if names.count(name) > 1}:
        source.problems.add("", f'two vendors are named "{name}"; files on devices are called after it')
    source.problems.raise_any()
    return {component: vendor for component, vendor in found.items() if vendor}


def _vendor(component: str, data: Mapping[str, object], problems: Problems) -> Vendor | None:
    reader = Reader(dict(data), component, problems)
    known = len(problems)
    values: dict[str, Any] = {}
    for key, (pattern, means) in TEXTS.items():
        if text := reader.text(key, None if key in NEEDED else "", pattern=pattern, means=means):
            values[key] = text.rstrip("/") if key == "base_url" else text
    for key, (pattern, means) in LISTS.items():
        if key in data or key in NEEDED:
            items = reader.items(key, 100, required=key in NEEDED)
            values[key] = tuple(text_at(item, path, problems, pattern=pattern, means=means) for path, item in items)
    if not values.get("fingerprints"):
        reader.wrong("fingerprints", "needs at least one: without it anybody could sign the packages")
    values["suites"] = _suites(reader)
    return Vendor(**values) if len(problems) == known else None


def _suites(reader: Reader) -> Mapping[str, str]:
    suites = Reader(reader.data.get("suites"), reader.at("suites"), reader.problems)
    return {release: suites.text(release, None, pattern=WORD, means="the name of a suite") for release in suites.data}


def planned_vendors(components: Iterable[str], known: Mapping[str, Vendor]) -> list[dict[str, Any]]:
    """The vendors of these components, as the role preflight takes them."""
    return [known[component].planned() for component in dict.fromkeys(components) if component in known]
