"""What kind of machine this is, read from /proc, /etc/os-release and systemd (runs on the device)."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import socket
import struct
import subprocess
from pathlib import Path

SIOCGIFADDR = 0x8915
UBUNTU_RELEASES = {"jammy": (22, 4), "noble": (24, 4), "plucky": (25, 4), "questing": (25, 10), "resolute": (26, 4)}
DEBIAN_RELEASES = {"bullseye": 11, "bookworm": 12, "trixie": 13, "forky": 14, "sid": 15}
SMALLEST_SHARE_MB = 256
NAMES = {"debian": "Debian", "ubuntu": "Ubuntu"}


def parse_os_release(text: str) -> dict[str, str]:
    """Keys of /etc/os-release (os-release(5)) without their quotes."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def version_numbers(text: str) -> tuple[int, ...]:
    """`22.04` as (22, 4); words count as nothing."""
    return tuple(int(number) for number in re.findall(r"\d+", text))


def family(release: dict[str, str]) -> str:
    """`ubuntu`, `debian` or an empty string, by ID and ID_LIKE."""
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    return next((name for name in ("ubuntu", "debian") if name in names), "")


def supported(oldest: dict[str, str]) -> str:
    """`ForgeLab needs Debian 12 or newer, or Ubuntu 22.04 or newer`; `oldest` are versions by the distribution's id."""
    return "ForgeLab needs " + ", or ".join(f"{NAMES[key]} {oldest[key]} or newer" for key in NAMES if key in oldest)


def distribution_problem(release: dict[str, str], debian_version: str, oldest: dict[str, str]) -> str | None:
    """Why this distribution is not supported, as the rest of a sentence, or None; `oldest` as for `supported`."""
    name = release.get("PRETTY_NAME") or release.get("ID") or "an unknown system"
    kind = family(release)
    least = version_numbers(oldest.get(kind, ""))
    if not least:
        return f"is {name}"
    if kind == "ubuntu":
        own = version_numbers(release.get("VERSION_ID", "")) if release.get("ID") == "ubuntu" else ()
        version = own or UBUNTU_RELEASES.get(release.get("UBUNTU_CODENAME", ""), ())
        return f"is {name}" if version and version < least else None
    known = DEBIAN_RELEASES.get(release.get("DEBIAN_CODENAME") or release.get("VERSION_CODENAME", ""))
    number = known or next(iter(version_numbers(debian_version)), least[0])
    return f"is {name}" if number < least[0] else None


def system_name(release: dict[str, str]) -> str:
    """`Debian 12 (bookworm)`, as messages name it."""
    name = NAMES.get(release.get("ID", ""), release.get("NAME", "an unknown system"))
    codename = release.get("VERSION_CODENAME", "")
    return " ".join(filter(None, [name, release.get("VERSION_ID", ""), f"({codename})" if codename else ""]))


def parse_meminfo(text: str) -> dict[str, int]:
    """Values of /proc/meminfo in MiB."""
    found = re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)
    return {key: int(value) // 1024 for key, value in found}


def parse_default_interface(text: str) -> str | None:
    """Interface of the default route with the lowest metric in /proc/net/route."""
    rows = [line.split() for line in text.splitlines()[1:]]
    default = [(int(row[6]), row[0]) for row in rows if len(row) > 7 and row[1] == row[7] == "00000000"]
    return min(default)[1] if default else None


def address_of(interface: str) -> str | None:
    """First IPv4 address of an interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            packed = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
        except OSError:
            return None
    return socket.inet_ntoa(packed[20:24])


def free_mb(paths: tuple[str, ...] = ("/", "/usr", "/var")) -> int:
    """MiB that the fullest of these file systems still has for ordinary users."""
    sizes = [os.statvfs(path) for path in paths if Path(path).exists()]
    return min(size.f_bavail * size.f_frsize for size in sizes) // (1024 * 1024)


def read_only(paths: tuple[str, ...] = ("/", "/etc", "/usr", "/var")) -> list[str]:
    """Those of `paths` that are mounted read-only."""
    return [path for path in paths if os.statvfs(path).f_flag & os.ST_RDONLY]


def cores() -> int:
    """Processors in /proc/cpuinfo (which follows a container's share), else what the system counts."""
    listed = re.findall(r"^processor\s*:", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return len(listed) or os.cpu_count() or 1


def virtualisation() -> str:
    """`none`, `kvm`, `systemd-nspawn` ... as systemd names it."""
    done = subprocess.run(["systemd-detect-virt"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def read_text(path: str) -> str:
    """Text of a file, empty when it is not there."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def device_facts() -> dict[str, object]:
    """Facts that ForgeLab keeps about a device; sizes in MiB."""
    release = parse_os_release(read_text("/etc/os-release"))
    debian = read_text("/etc/debian_version").strip()
    memory = parse_meminfo(read_text("/proc/meminfo"))
    interface = parse_default_interface(read_text("/proc/net/route"))
    numbered = debian if release.get("ID") == "debian" and debian[:1].isdigit() else release.get("VERSION_ID", debian)
    return {
        "hostname": platform.node(),
        "address": address_of(interface) if interface else None,
        "memory_total_mb": memory.get("MemTotal", 0),
        "memory_available_mb": memory.get("MemAvailable", 0),
        "cores": cores(),
        "disk_free_mb": free_mb(),
        "architecture": platform.machine(),
        "distribution": NAMES.get(release.get("ID", ""), release.get("NAME", "")),
        "distribution_version": numbered,
        "distribution_release": release.get("VERSION_CODENAME", ""),
        "distribution_name": system_name(release),
        "kernel": platform.release(),
        "virtualisation": virtualisation(),
        "python": platform.python_version(),
    }


def standard_facts(facts: dict[str, object], reserved_mb: int = 0) -> dict[str, object]:
    """The same under the names that Ansible's own setup module uses, as far as roles read them.

    Of the memory, `reserved_mb` are somebody else's; what is left is never less than 256, or what there is.
    """
    total = int(str(facts["memory_total_mb"]))
    version = str(facts["distribution_version"])
    return {
        "memtotal_mb": max(total - reserved_mb, min(total, SMALLEST_SHARE_MB)),
        "processor_vcpus": facts["cores"],
        "architecture": facts["architecture"],
        "distribution": facts["distribution"],
        "distribution_version": version,
        "distribution_release": facts["distribution_release"],
        "distribution_major_version": version.split(".")[0],
        "os_family": "Debian",
        "pkg_mgr": "apt",
        "service_mgr": "systemd",
        "hostname": facts["hostname"],
        "kernel": facts["kernel"],
        "default_ipv4": {"address": facts["address"]} if facts["address"] else {},
    }
