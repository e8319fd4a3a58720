"""Vendors' package repositories: what the roles declare in `meta/forgelab.yml`, and what somebody changes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forgelab.lib.problems import Problems
from forgelab.lib.reader import Reader, text_at
from forgelab.lib.yamlfile import parse

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
    "fingerprints": (r"[0-9A-F]{40}", "a key's full fingerprint, 40 hexadecimal digits in capitals"),
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
    """Where one component comes from when the distribution lacks its version; see docs/vendors.md."""

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


def vendors(own: Path, shipped: Mapping[str, Vendor]) -> Mapping[str, Vendor]:
    """The `shipped` ones, by component, with what the file `own` changes or adds, if it exists.

    Raises DocumentError naming line and key of what is wrong in it.
    """
    if not own.is_file():
        return shipped
    document = parse(own.read_bytes())
    problems = Problems(document.lines)
    sections = Reader(document.data or {}, "", problems).data
    changed = {key: read_vendor(section, key, problems, shipped.get(key)) for key, section in sections.items()}
    problems.raise_any()
    found = {**shipped, **{key: vendor for key, vendor in changed.items() if vendor}}
    names = [vendor.name for vendor in found.values()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add("", f'two vendors are named "{name}"; files on devices are called after it')
    problems.raise_any()
    return found


def read_vendor(data: object, path: str, problems: Problems, base: Vendor | None = None) -> Vendor | None:
    """The vendor, or None with problems reported. With a `base`, only what differs from it has to be there."""
    reader, known = Reader(data, path, problems, KEYS), len(problems)
    needed = () if base else NEEDED
    values: dict[str, Any] = {}
    for key, (pattern, means) in TEXTS.items():
        if key in reader or key in needed:
            text = reader.text(key, None, pattern=pattern, means=means)
            values[key] = text.rstrip("/") if key == "base_url" else text
    for key, (pattern, means) in LISTS.items():
        if key in reader or key in needed:
            items = reader.items(key, 100, required=key in needed)
            values[key] = tuple(text_at(item, path, problems, pattern=pattern, means=means) for path, item in items)
    if not values.get("fingerprints", base and base.fingerprints):
        reader.wrong("fingerprints", "needs at least one: without it anybody could sign the packages")
    if "suites" in reader or "suites" in needed:
        values["suites"] = _suites(reader)
    if len(problems) > known:
        return None
    return dataclasses.replace(base, **values) if base else Vendor(**values)


def _suites(reader: Reader) -> Mapping[str, str]:
    suites = Reader(reader.data.get("suites"), reader.at("suites"), reader.problems)
    return {release: suites.text(release, None, pattern=WORD, means="the name of a suite") for release in suites.data}


def planned_vendors(components: Iterable[str], known: Mapping[str, Vendor]) -> list[dict[str, Any]]:
    """The vendors of these components, as the role preflight takes them."""
    return [known[component].planned() for component in dict.fromkeys(components) if component in known]
