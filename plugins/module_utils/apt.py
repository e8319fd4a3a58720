"""Which packages this device could install, asked of apt once (runs on the device)."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

STATUS = Path("/var/lib/dpkg/status")
LISTS = Path("/var/lib/apt/lists")
FRESH_SECONDS = 3600
UPDATE_SECONDS = 300
VERSION = re.compile(r"\d+(?:\.\d+)*")
TITLES = {"php": "PHP", "postgresql": "PostgreSQL", "mariadb": "MariaDB", "mysql": "MySQL", "nodejs": "Node.js"}


def plain_name(package: str) -> str:
    """`nodejs=20.*` and `nodejs/bookworm-backports` as `nodejs`."""
    return re.split(r"[=/]", package, maxsplit=1)[0]


def parse_installed(status: str) -> set[str]:
    """Names of the packages that are fully installed, from dpkg's status file."""
    return set(re.findall(r"^Package: (\S+)\nStatus: \S+ ok installed$", status, re.M))


def parse_installed_versions(status: str) -> dict[str, str]:
    """Versions of the packages that are fully installed, from dpkg's status file."""
    installed = re.findall(
        r"^Package: (\S+)\nStatus: \S+ ok installed\n(?:\S.*\n|[ \t].*\n)*?Version: (\S+)", status, re.M
    )
    return dict(installed)


def in_series(version: str, series: str) -> bool:
    """Whether a package's version (`1:9.7.4-2`) is one of a series (`9.7`)."""
    upstream = re.sub(r"^\d+:", "", version)
    return re.match(re.escape(series) + r"(?![0-9])", upstream) is not None


def series_of(version: str) -> str:
    """`9.7` for the package's version `1:9.7.4-2`."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)?)", version)
    return found[1] if found else version


def nothing_half_installed(status: str) -> bool:
    """Whether every package in dpkg's status file is in a state in which dpkg leaves it when it is done."""
    return not re.search(r"^Status: \S+ \S+ (?!installed$|config-files$|not-installed$)", status, re.M)


def not_installed(names: Iterable[str]) -> list[str]:
    """Those of `names` that apt has to be asked about; opening its cache takes most of a second."""
    try:
        installed = parse_installed(STATUS.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return list(names)
    return [name for name in names if name not in installed]


def installable(names: Iterable[str]) -> tuple[set[str], list[str]]:
    """Those of `names` that have a candidate, and every package name that apt knows."""
    try:
        import apt_pkg
    except ImportError:
        return _installable_by_program(sorted(names))
    apt_pkg.init()
    cache = apt_pkg.Cache(None)
    policy = apt_pkg.DepCache(cache)

    def has_candidate(name: str) -> bool:
        if name not in cache:
            return False
        package = cache[name]
        if policy.get_candidate_ver(package):
            return True
        return any(policy.get_candidate_ver(version.parent_pkg) for _, _, version in package.provides_list)

    known = [package.name for package in cache.packages if package.has_versions]
    return {name for name in names if has_candidate(name)}, known


def parse_policy(text: str) -> set[str]:
    """Packages with a candidate in the output of `apt-cache policy`."""
    return set(parse_candidates(text))


def parse_candidates(text: str) -> dict[str, str]:
    """The same, with the candidates' versions."""
    found = re.findall(r"^(\S+):\n.*\n  Candidate: (\S+)", text, re.M)
    return {name: version for name, version in found if version != "(none)"}


def candidates(names: Iterable[str]) -> dict[str, str]:
    """Which versions the device's own sources have for these packages; those without any are left out."""
    return parse_candidates(_policy(list(names)))


def _policy(names: list[str]) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        ["apt-cache", "policy", "--", *names], capture_output=True, text=True, check=False, env=environment
    ).stdout


def _installable_by_program(names: list[str]) -> tuple[set[str], list[str]]:
    known = subprocess.run(["apt-cache", "pkgnames"], capture_output=True, text=True, check=False)
    return parse_policy(_policy(names)), known.stdout.split()


def lists_age_seconds() -> float:
    """Seconds since apt's package lists were last refreshed; infinite when there are none."""
    written = [entry.stat().st_mtime for entry in LISTS.glob("*Packages*")]
    stamps = [Path("/var/lib/apt/periodic/update-success-stamp"), LISTS] if written else []
    written += [stamp.stat().st_mtime for stamp in stamps if stamp.exists()]
    return time.time() - max(written) if written else float("inf")


def refresh_lists() -> str | None:
    """`apt-get update`. Returns what went wrong, or None."""
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            ["apt-get", "update", "-q", "--error-on=any"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=UPDATE_SECONDS,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {UPDATE_SECONDS} seconds"
    lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:"))]
    return "; ".join(lines[:3]) if done.returncode else None


def versions_instead(package: str, known: Iterable[str]) -> list[str]:
    """Other versions of the same package name: for php8.3-fpm, where php8.2-fpm is known, `8.2`."""
    if not VERSION.search(package):
        return []
    parts = [re.escape(part) for part in VERSION.split(package, maxsplit=1)]
    pattern = re.compile(r"(\d+(?:\.\d+)*)".join(parts))
    found = {match.group(1) for match in map(pattern.fullmatch, known) if match}
    return sorted(found, key=lambda version: [int(number) for number in version.split(".")])


def product(package: str) -> tuple[str, str]:
    """Title and version that a package name carries: `PHP` and `8.3` for php8.3-fpm, no version for `nginx`."""
    match = VERSION.search(package)
    stem = (package[: match.start()] if match else package).strip("-")
    return TITLES.get(stem.split("-")[0], stem), match.group() if match else ""


def missing_problems(
    missing: Iterable[str],
    known: list[str],
    system: str,
    troubles: Mapping[str, tuple[str, str]] | None = None,
    series: Mapping[str, str] | None = None,
) -> list[tuple[str, str]]:
    """Sentences (what is wrong, what to choose) for packages without a candidate, one per product and version.

    `troubles` says for a package why its vendor's repository does not help, and what to do; `series` which versions
    are wanted of packages whose name does not say it.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for package in missing:
        title, version = product(package)
        groups.setdefault((title, version or (series or {}).get(package, "")), []).append(package)
    return [
        _sentence(title, version, packages, known, system, troubles or {})
        for (title, version), packages in groups.items()
    ]


def _sentence(
    title: str,
    version: str,
    packages: list[str],
    known: list[str],
    system: str,
    troubles: Mapping[str, tuple[str, str]],
) -> tuple[str, str]:
    shown = ", ".join(packages[:3]) + (f" and {len(packages) - 3} more" if len(packages) > 3 else "")
    verb = "has" if len(packages) == 1 else "have"
    offered = [{*versions_instead(package, known)} for package in packages]
    common = [other for other in versions_instead(packages[0], known) if all(other in found for found in offered)]
    shown += f" {version}" if version and not VERSION.search(packages[0]) else ""
    problem = f"{shown} {verb} no installation candidate on {system}"
    asked = list(dict.fromkeys(troubles[package] for package in packages if package in troubles))
    way_out = f"or {asked[0][1]}." if asked else "or add the vendor's repository."
    vendor = "".join(f"; {trouble}" for trouble, _ in asked)
    if common:
        choice = " or ".join(f"{title} {other}" for other in common)
        return f"{problem}: this device offers {choice}{vendor}", f"Choose {choice}, {way_out}"
    if version:
        return problem + vendor, f"Choose another version of {title}, {way_out}"
    return problem, f"Check the name and the device's package sources: `apt-cache policy {packages[0]}`."
