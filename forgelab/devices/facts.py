"""What a device says of itself: one small shell script, and the reading of its answer."""

from __future__ import annotations

from dataclasses import dataclass

# Only /proc, /sys, df and os-release: it works on any Debian-family device before anything is installed there.
SCRIPT = r"""
LC_ALL=C; export LC_ALL
. /etc/os-release 2>/dev/null
echo "distribution=$ID"; echo "distribution_version=$VERSION_ID"; echo "distribution_release=$VERSION_CODENAME"
echo "architecture=$(uname -m)"
awk '/^MemTotal:/{print "memory_total_kb="$2} /^MemAvailable:/{print "memory_available_kb="$2}' /proc/meminfo
echo "cores=$(grep -c ^processor /proc/cpuinfo)"
awk '{print "load="$2}' /proc/loadavg
awk '{print "uptime="int($1)}' /proc/uptime
df -Pk / | awk 'NR==2{print "disk_total_kb="$2; print "disk_free_kb="$4}'
if [ -r /proc/device-tree/model ]; then echo "model=$(tr -d '\0' </proc/device-tree/model)"
elif [ -r /sys/class/dmi/id/product_name ]; then echo "model=$(cat /sys/class/dmi/id/product_name)"; fi
# The disk below the root file system, also through LVM, RAID and encryption.
disk=$(lsblk -snro TYPE,NAME,ROTA "$(findmnt -nvo SOURCE / 2>/dev/null)" 2>/dev/null | grep -m1 ^disk)
case "$disk" in
  "disk nvme"*) echo disk_kind=nvme ;;
  "disk mmcblk"*) echo disk_kind=sd ;;
  "disk vd"*" 1") echo disk_kind=unknown ;;   # a virtual disk says "rotating" whatever it lies on
  *" 0") echo disk_kind=ssd ;;
  *" 1") echo disk_kind=hdd ;;
  *) echo disk_kind=unknown ;;
esac
"""
LARGEST = 2**41  # no size in KiB, count or percentage is larger; the database's columns end there
DISK_KINDS = ("nvme", "ssd", "hdd", "sd")


@dataclass(frozen=True)
class Facts:
    """What `SCRIPT` found. Sizes in MiB, load in percent of the cores, uptime in seconds."""

    distribution: str
    distribution_version: str
    distribution_release: str
    architecture: str
    memory_total_mb: int
    memory_available_mb: int
    cores: int
    load_percent: float
    uptime_seconds: int
    disk_total_mb: int
    disk_free_mb: int
    disk_kind: str
    model: str


def parse(output: str) -> Facts:
    """Read the script's answer. Raises `ValueError` naming the line that is missing or not a number."""
    values = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)

    def number(name: str) -> float:
        try:
            value = float(values[name])
        except (KeyError, ValueError):
            value = -1
        if not 0 <= value < LARGEST:
            raise ValueError(f"the device did not tell its {name} (got {values.get(name, 'nothing')[:40]!r})")
        return value

    def text(name: str, length: int) -> str:
        return "".join(character for character in values.get(name, "") if character.isprintable())[:length]

    cores = min(max(1, int(number("cores"))), 32_767)
    return Facts(
        distribution=text("distribution", 32),
        distribution_version=text("distribution_version", 16),
        distribution_release=text("distribution_release", 32),
        architecture=text("architecture", 16),
        memory_total_mb=int(number("memory_total_kb")) // 1024,
        memory_available_mb=int(number("memory_available_kb")) // 1024,
        cores=cores,
        load_percent=round(100 * number("load") / cores, 1),
        uptime_seconds=int(number("uptime")),
        disk_total_mb=int(number("disk_total_kb")) // 1024,
        disk_free_mb=int(number("disk_free_kb")) // 1024,
        disk_kind=text("disk_kind", 8) if values.get("disk_kind") in DISK_KINDS else "unknown",
        model=text("model", 128),
    )
