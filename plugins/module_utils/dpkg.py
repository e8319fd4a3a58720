"""What dpkg knows about packages, and finishing what it was kept from finishing (runs on the device)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping

FORMAT = "${db:Status-Status}\t${Package}\t${Architecture}\n"
SETTLED = ("installed", "config-files", "not-installed")
# Configuration files that somebody changed by hand are kept.
KEEP_FILES = ("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold")


class AptFailed(Exception):
    """apt or dpkg gave up; the text is the end of its output."""


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of dpkg or apt without questions, with `environment` added."""
    calm = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, **calm, **environment},
    )


def parse_statuses(text: str) -> dict[str, str]:
    """Package name to dpkg's status word; a name also stands with its architecture (`libc6:amd64`)."""
    statuses: dict[str, str] = {}
    for status, name, architecture in (line.split("\t") for line in text.splitlines()):
        statuses[f"{name}:{architecture}"] = status
        if statuses.get(name) != "installed":
            statuses[name] = status
    return statuses


def statuses() -> dict[str, str]:
    """dpkg's status of every package it knows."""
    return parse_statuses(run("dpkg-query", "--show", f"--showformat={FORMAT}").stdout)


def unsettled(found: Mapping[str, str]) -> list[str]:
    """Packages that stopped half-way."""
    return sorted(name for name, status in found.items() if ":" not in name and status not in SETTLED)


def missing(names: Iterable[str], found: Mapping[str, str]) -> list[str]:
    """Those of `names` that are not installed, each once. One with a version or release (`x=1.*`) always is."""
    return [name for name in dict.fromkeys(names) if found.get(name) != "installed"]


def repair() -> None:
    """Finish what was cut off. Raises AptFailed."""
    run("dpkg", "--force-confdef", "--force-confold", "--configure", "-a")
    _apt_get("--fix-broken", "install")


def install(names: Iterable[str], lock_wait_seconds: int, **environment: str) -> None:
    """Install packages in one transaction, without what they only recommend. Raises AptFailed."""
    _apt_get("-o", f"DPkg::Lock::Timeout={lock_wait_seconds}", "install", "--", *names, **environment)


def _apt_get(*arguments: str, **environment: str) -> None:
    done = run("apt-get", "--yes", "--quiet", "--no-install-recommends", *KEEP_FILES, *arguments, **environment)
    if done.returncode:
        raise AptFailed("\n".join(done.stdout.strip().splitlines()[-15:]))
