"""What tests ask of lab devices, and names of their own for those that a test of the lab makes."""

from __future__ import annotations

import os
import re
import subprocess

PREFIX = f"t{os.getpid()}"


def ssh(device, command, user="root", check=True):
    done = subprocess.run([*device.ssh_argv(user), command], capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


def link_local(device):
    """The IPv6 address of its link."""
    shown = device.exec(["ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link"]).stdout
    return re.search(r"inet6 (fe80:[0-9a-f:]+)/", shown)[1]


def left_on(device, run_id):
    """The processes of a run that are on the device, a line each."""
    script = f"grep -lz FORGELAB_RUN={run_id} /proc/[0-9]*/environ 2>/dev/null || true"
    return device.exec(["sh", "-c", script]).stdout
