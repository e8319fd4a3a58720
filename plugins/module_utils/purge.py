"""Removing packages with their data, and nothing that something else makes use of (runs on the device)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

# Their packages ask whether data goes as well, and answer no by themselves where nothing is set.
DATA_QUESTIONS = ("postrm_purge_data", "postrm_remove_databases")
# Where the data of a package lies, by the beginning of its name; not all packages remove it themselves.
DATA = (
    ("redis-server", "/var/lib/redis"),
    ("mariadb-server", "/var/lib/mysql"),
    ("mysql-server", "/var/lib/mysql"),
    ("postgresql-", "/var/lib/postgresql"),
)


class Failed(Exception):
    """Something could not be taken away; the text is a sentence for the user."""


def run(command: list[str], what: str) -> None:
    """Run it. Raises Failed with its output."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise Failed(f"{what}: {(done.stderr or done.stdout).strip()}")


def installed(packages: list[str]) -> list[str]:
    """Those of the packages that the device has."""
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\\n", *packages]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout if packages else ""
    there = {line.split()[1] for line in shown.splitlines() if line.startswith(("installed ", "config-files "))}
    return [package for package in packages if package in there]


def spared(packages: list[str], kept: list[str]) -> list[str]:
    """Those of the packages without which one of the kept could not stay."""
    there = set(installed(kept)) - set(packages)
    going: list[str] = []
    for package in packages if there else []:
        if not there & would_go([*going, package]):
            going.append(package)
    return [package for package in packages if package not in going] if there else []


def would_go(packages: list[str]) -> set[str]:
    """Everything that apt would remove together with these. Raises Failed with its output."""
    done = subprocess.run(["apt-get", "--simulate", "purge", *packages], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"apt cannot list what {', '.join(packages)} would take along: {done.stderr.strip()}")
    return set(re.findall(r"^(?:Purg|Remv) (\S+)", done.stdout, re.MULTILINE))


def keep(packages: list[str]) -> None:
    """Have apt not remove them by itself, where they came along with something that goes."""
    if names := installed(packages):
        run(["apt-mark", "manual", *names], "The packages that are kept could not be marked")


def purge(packages: list[str]) -> None:
    """Remove the packages with their configuration and data."""
    answers = "".join(f"{name} {name}/{question} boolean true\n" for name in packages for question in DATA_QUESTIONS)
    subprocess.run(["debconf-set-selections"], input=answers, text=True, capture_output=True, check=False)
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "--yes", "--auto-remove", "purge", *packages]
    run(command, "The packages could not be removed")
    for name in data_of(packages):
        shutil.rmtree(name, ignore_errors=True)


def data_of(packages: list[str]) -> list[str]:
    """Folders with data of these packages; a version's own one where several versions share a folder."""
    found = []
    for package in packages:
        for beginning, folder in DATA:
            if package.startswith(beginning):
                version = package.removeprefix(beginning) if beginning.endswith("-") else ""
                found.append(f"{folder}/{version}".rstrip("/"))
    return [
        name for name in dict.fromkeys(found) if Path(name).is_dir() and re.fullmatch(r"/var/lib/[a-z]+(/\d+)?", name)
    ]
