"""A vendor's repository: which packages it is for, and the files by which apt knows it (runs on the device).

A *vendor* is what a plan carries: it names packages for any version (`php${version}-*`) and suites for any release.
A *source* is what a device gets of it: one suite, and the names of exactly the packages that may come from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

VERSION = "${version}"
NUMBER = r"(?P<version>\d+(?:\.\d+)*)"
KEYRINGS = Path("/etc/apt/keyrings")
SOURCES = Path("/etc/apt/sources.list.d")
PREFERENCES = Path("/etc/apt/preferences.d")
NOTE = "Managed by ForgeLab: changes here are undone by the next run."
# What the vendor is needed for comes from it, and is upgraded from it, but no newer version is ever replaced (1000).
PREFERRED = 600
# Anything else comes from it only where nobody else has it (a library), and never replaces what is installed (100).
LAST_RESORT = 50
FIELDS = {
    "name": r"[a-z0-9][a-z0-9-]{0,39}",
    "title": r"[^\n]{1,80}",
    "url": r"(?:https?://[^\s/]+|file:)/?[^\s]*",
    "key_url": r"(?:https?://[^\s/]+|file:)/?[^\s]*",
    "suite": r"[A-Za-z0-9._~+/-]{1,80}",
}
LISTS = {
    "components": r"[A-Za-z0-9._~+/-]{1,80}",
    "fingerprints": r"[0-9A-F]{40}",
    "packages": r"[a-z0-9][a-z0-9+.*?-]{0,99}",
}


def is_name(name: str) -> bool:
    """Whether files can be called after this."""
    return re.fullmatch(FIELDS["name"], name) is not None


def source_problems(source: Mapping[str, Any]) -> list[str]:
    """What of a source cannot be written into apt's files, as sentences."""
    label = f"repositories_sources: {source.get('name')}"
    wrong = [
        f"{label}: {key} is {source[key]!r}, which is not allowed."
        for key, pattern in FIELDS.items()
        if not re.fullmatch(pattern, source[key])
    ]
    for key, pattern in LISTS.items():
        unfit = [item for item in source[key] if not re.fullmatch(pattern, item)]
        wrong += [f"{label}: {item!r} is not allowed in {key}." for item in unfit]
    if not source["fingerprints"]:
        wrong.append(f"{label}: fingerprints needs at least one, or anybody could sign the packages.")
    return wrong


def key_path(name: str) -> Path:
    """Where the vendor's key lies."""
    return KEYRINGS / f"forgelab-{name}.asc"


def sources_path(name: str) -> Path:
    """Where apt reads the repository's address."""
    return SOURCES / f"forgelab-{name}.sources"


def preferences_path(name: str) -> Path:
    """Where apt reads which packages may come from it."""
    return PREFERENCES / f"forgelab-{name}.pref"


def sources_text(source: Mapping[str, Any], key: Path) -> str:
    """The repository in apt's format, trusting the pinned ones among the keys in the file `key` and no other.

    Outdated or unsigned copies are refused whatever apt.conf says.
    """
    lines = [f"# {NOTE}", f"# {source['title']}", "Types: deb", f"URIs: {source['url']}", f"Suites: {source['suite']}"]
    if source["components"]:
        lines.append(f"Components: {' '.join(source['components'])}")
    signed_by = " ".join(["Signed-By:", str(key), *source["fingerprints"]])
    return "\n".join([*lines, signed_by, "Check-Valid-Until: yes", "Allow-Insecure: no", ""])


def preferences_text(source: Mapping[str, Any], pin: str) -> str:
    """Its packages from there and nothing else, unless nobody else has it."""
    return (
        f"Explanation: {NOTE}\n"
        f"Package: {' '.join(source['packages'])}\nPin: {pin}\nPin-Priority: {PREFERRED}\n\n"
        f"Explanation: Whatever else {source['title']} has never replaces anything.\n"
        f"Package: *\nPin: {pin}\nPin-Priority: {LAST_RESORT}\n"
    )


def configured(name: str) -> bool:
    """Whether this device has the vendor's repository from ForgeLab."""
    return sources_path(name).exists()


def parse_preferences(text: str) -> tuple[list[str], str]:
    """Package patterns and pin of a file that `preferences_text` wrote; empty for any other."""
    found = re.search(r"^Package: (?!\*$)(.+)\nPin: (.+)$", text, re.M)
    return (found[1].split(), found[2]) if found else ([], "")


def release_pin(release: str) -> str:
    """How apt distinguishes the repository with this Release file from others, "" when the file does not say it."""
    fields = dict(re.findall(r"^(Origin|Label|Codename|Suite): *(.+?) *$", release, re.M))
    fields = {key: value for key, value in fields.items() if not re.search(r"[,*?\[\]/]", value)}
    names = [("o", "Origin"), ("l", "Label"), ("n", "Codename") if "Codename" in fields else ("a", "Suite")]
    parts = [f"{letter}={fields[key]}" for letter, key in names if key in fields]
    return "release " + ",".join(parts) if "Origin" in fields or "Label" in fields else ""


def pin_for(release: str, url: str, others: Iterable[str], other_urls: Iterable[str]) -> str:
    """The pin that meets this repository alone, among the device's other Release files and addresses; "" for none."""
    pin = release_pin(release)
    if pin and pin not in map(release_pin, others):
        return pin
    host = host_of(url)
    return f'origin "{host}"' if host not in map(host_of, other_urls) else ""


def host_of(url: str) -> str:
    """The host by which apt's `origin` pins know an address, "" for a local one."""
    found = re.match(r"\w+://(?:[^/@]*@)?([^/:]+)", url)
    return found[1] if found else ""


def list_prefix(url: str) -> str:
    """How the names of apt's list files from this address begin."""
    rest = re.sub(r"^\w+:(//)?(?:[^/@]*@)?", "", url.rstrip("/"))
    return re.sub(r'[\\|{}\[\]<>"^~_=!@#$%^&*]', lambda match: f"%{ord(match[0]):02x}", rest).replace("/", "_")


def version_of(template: str, name: str) -> str | None:
    """`8.3` for `php${version}-*` and php8.3-fpm; "" where the template has no version; None for another package."""
    pattern = re.escape(template).replace(re.escape(VERSION), NUMBER).replace(r"\*", ".*").replace(r"\?", ".")
    match = re.fullmatch(pattern, name)
    return match.groupdict().get("version", "") if match else None


def versions_wanted(vendor: Mapping[str, Any], names: Iterable[str]) -> dict[str, list[str]]:
    """Which of `names` the vendor is for, by version."""
    wanted: dict[str, list[str]] = {}
    for name in names:
        found = [version_of(template, name) for template in vendor["packages"]]
        version = next((version for version in found if version is not None), None)
        if version is not None:
            wanted.setdefault(version, []).append(name)
    return wanted


def source_for(vendor: Mapping[str, Any], suite: str, versions: Iterable[str]) -> dict[str, Any]:
    """The source that brings these versions from the vendor, and what they share."""
    ordered = sorted(versions, key=lambda version: [int(number) for number in version.split(".") if number])
    packages = [template.replace(VERSION, version) for version in ordered for template in vendor["packages"]]
    return {
        "name": vendor["name"],
        "title": vendor["title"],
        "url": vendor["base_url"],
        "key_url": vendor["key_url"],
        "suite": suite,
        "components": list(vendor["components"]),
        "fingerprints": list(vendor["fingerprints"]),
        "packages": list(dict.fromkeys([*packages, *vendor["shared"]])),
    }


def described(source: Mapping[str, Any]) -> str:
    """`packages.example.org (https://packages.example.org/php, bookworm)`, as messages name it."""
    return f"{source['title']} ({source['url']}, {source['suite']})"
