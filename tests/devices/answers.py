"""What devices answer when they are asked for their facts."""

from __future__ import annotations

PI = """distribution=debian
distribution_version=12
distribution_release=bookworm
architecture=aarch64
memory_total_kb=3884676
memory_available_kb=3120040
cores=4
load=1.00
uptime=86400
disk_total_kb=30580832
disk_free_kb=24117248
model=Raspberry Pi 4 Model B Rev 1.4
root_disk=disk mmcblk0 0
heat=cpu-thermal 51121
"""
