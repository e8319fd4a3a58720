"""One call of the system's ssh client: its files in memory, its words, and that nothing of it outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forgelab.devices import access
from forgelab.devices.models import Device


class DeviceUnreachable(Exception):
    """SSH to the device failed. The message says why and what to do."""


class HostKeyChanged(DeviceUnreachable):
    """The device, or one on the way to it, shows another key than the pinned one."""


@contextmanager
def private_files(device: Device) -> Iterator[Path]:
    """A folder in memory with the files of `access.files`, gone at the end of the block."""
    memory = Path("/dev/shm")  # noqa: S108 - a tmpfs: the key must not touch a disk
    with tempfile.TemporaryDirectory(prefix="forgelab-ssh-", dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        for file, text in access.files([access.host_of(device)]).items():
            descriptor = os.open(folder / file, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as handle:
                handle.write(text)
        yield folder


def command_line(device: Device, folder: Path, connect_timeout: int) -> list[str]:
    """The argv of ssh, up to the remote command. Never asks, never accepts an unknown key; timeout in seconds."""
    host = access.host_of(device)
    options: dict[str, object] = {
        "BatchMode": "yes",
        "UserKnownHostsFile": folder / access.KNOWN_HOSTS,
        "ConnectTimeout": access.connect_timeout(host, connect_timeout),
        "ServerAliveInterval": 3,
        "ServerAliveCountMax": 2,
        "ControlPath": "none",
        "LogLevel": "ERROR",
    }
    if host.jump:
        options["ProxyCommand"] = f"sh {folder / access.script_name(host.jump)} %h %p"
    who = ["-i", str(folder / host.identity), "-p", str(host.port), "-l", host.user]
    return ["ssh", "-T", *access.flags(host), *who, *access.option_flags(options), "--", host.address]


def call(
    device: Device, argv: list[str], script: str, timeout: float, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it in a session of its own, so that nothing it started (ssh to a jump host) outlives it."""
    try:
        child = subprocess.Popen(
            argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8", errors="replace", start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError:
        if argv[0] == "ssh":
            raise DeviceUnreachable("ssh is missing here: install the package openssh-client.") from None
        raise RuntimeError(f"{argv[0]} is missing on {device.name}: install the package {argv[0]}") from None
    with child:
        try:
            out, error = child.communicate(script, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise DeviceUnreachable(
                f"{device.name} ({device.address}) did not answer within {timeout:g} seconds."
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(argv, child.returncode, out, error)
