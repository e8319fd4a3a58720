from __future__ import annotations

import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .errors import LabUnavailable

CGROUP = Path("/sys/fs/cgroup")
FUSE = Path("/dev/fuse")
COMMANDS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "lxcfs": "lxcfs",
    "nft": "nftables",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
}
DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Requirement:
    """One thing the lab needs of this machine; `problem` is empty when it is there."""

    title: str
    problem: str = ""


def requirements() -> list[Requirement]:
    """Everything the lab needs, in the order in which a person would provide it."""
    if platform.system() != "Linux":
        return [Requirement("Linux", f"it needs Linux, and this is {platform.system()}.")]
    return [
        Requirement("Linux 5.14 or later", _kernel_problem(platform.release())),
        _root(),
        Requirement("Debian packages", package_problem(missing_packages())),
        Requirement("writable control groups", _cgroup_problem()),
        Requirement("FUSE", "" if FUSE.exists() else f"{FUSE} is missing: run `modprobe fuse`."),
    ]


def check() -> None:
    """Raises LabUnavailable naming everything that is missing, with the command that provides it."""
    _refuse(requirements())


def check_root() -> None:
    """Raises LabUnavailable for anybody but root, who alone sees the devices there are."""
    _refuse([_root()])


def _refuse(needed: list[Requirement]) -> None:
    problems = [item.problem for item in needed if item.problem]
    if problems:
        raise LabUnavailable("\n".join(["The lab cannot run on this machine:", *(f"- {text}" for text in problems)]))


def missing_packages() -> list[str]:
    """Debian packages whose commands or files are not on this machine, sorted."""
    missing = {package for command, package in COMMANDS.items() if not shutil.which(command)}
    if not DEBIAN_KEYRING.exists():
        missing.add("debian-archive-keyring")
    return sorted(missing)


def package_problem(missing: list[str]) -> str:
    if not missing:
        return ""
    names = " ".join(missing)
    what = "package" if len(missing) == 1 else "packages"
    return f"missing {what} {', '.join(missing)}: run `apt-get install -y --no-install-recommends {names}`."


def _root() -> Requirement:
    return Requirement("root", "" if os.geteuid() == 0 else "it needs root: run the same command with sudo.")


def _kernel_problem(release: str) -> str:
    # cgroup.kill, the lab's power switch, came with Linux 5.14 (kernel's admin-guide/cgroup-v2).
    match = re.match(r"(\d+)\.(\d+)", release)
    if match and (int(match[1]), int(match[2])) >= (5, 14):
        return ""
    return f"it needs Linux 5.14 or later, and this is {release}."


def _cgroup_problem() -> str:
    if any(path.exists() and os.access(path, os.W_OK) for path in (CGROUP / "cgroup.procs", CGROUP / "unified")):
        return ""
    return f"{CGROUP} cannot be written: inside a container, start that container with --privileged."
