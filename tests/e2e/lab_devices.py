"""What the tests of the lab share: names of their own, and a command on a device by SSH."""

from __future__ import annotations

import os
import subprocess

PREFIX = f"t{os.getpid()}"


def ssh(device, command, user="root", check=True):
    done = subprocess.run([*device.ssh_argv(user), command], capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()
