"""Running a short script on a device over the system's own ssh client."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forgelab.devices.models import Device

TRANSPORT_FAILED = 255  # ssh(1): "exits with the exit status of the remote command or with 255 if an error occurred"


LONGEST_ERROR = 2000  # characters of what a device says of itself


class DeviceUnreachable(Exception):
    """SSH to the device failed. The message says why and what to do."""


class HostKeyChanged(DeviceUnreachable):
    """The device shows another key than the pinned one."""


@contextmanager
def private_files(device: Device) -> Iterator[Path]:
    """A folder in memory with the device's `id` and `known_hosts`, gone at the end of the block."""
    memory = Path("/dev/shm")  # noqa: S108 - a tmpfs: the key must not touch a disk
    with tempfile.TemporaryDirectory(prefix="forgelab-ssh-", dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        descriptor = os.open(folder / "id", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(device.identity.private_key.rstrip("\n") + "\n")
        (folder / "known_hosts").write_text(device.known_hosts)
        yield folder


def command_line(device: Device, folder: Path, connect_timeout: int) -> list[str]:
    """The argv of ssh, up to the remote command. Never asks, never accepts an unknown key; timeout in seconds."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": folder / "known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
        "IdentitiesOnly": "yes",
        "ConnectTimeout": connect_timeout,
        "ServerAliveInterval": 3,
        "ServerAliveCountMax": 2,
        "ControlPath": "none",
        "LogLevel": "ERROR",
    }
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return [
        "ssh",
        "-T",
        "-F",
        "/dev/null",
        "-i",
        str(folder / "id"),
        "-p",
        str(device.port),
        "-l",
        device.user,
        *flags,
        "--",
        device.address,
    ]


def run_script(
    device: Device, script: str, *, root: bool = False, timeout: float = 20, connect_timeout: int = 5
) -> str:
    """Run a POSIX shell script on the device (through sudo where `root`) and return what it printed.

    `timeout` and `connect_timeout` are seconds. Raises `DeviceUnreachable` when SSH fails or time runs out,
    `HostKeyChanged` when the pinned key is not the one shown, `RuntimeError` when the script itself fails.
    """
    remote = "sudo -n -- sh -s" if root and device.user != "root" else "sh -s"
    with private_files(device) as folder:
        argv = [*command_line(device, folder, connect_timeout), remote]
        try:
            done = subprocess.run(
                argv,
                input=script,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeviceUnreachable(
                f"{device.name} ({device.address}) did not answer within {timeout:g} seconds."
            ) from None
        except FileNotFoundError:
            raise DeviceUnreachable("ssh is missing here: install the package openssh-client.") from None
    if done.returncode == TRANSPORT_FAILED:
        raise _explain(device, done.stderr.strip()[-LONGEST_ERROR:])
    if done.returncode:
        raise RuntimeError(
            done.stderr.strip()[-LONGEST_ERROR:] or f"the script ended with status {done.returncode} on {device.name}"
        )
    return done.stdout


def _explain(device: Device, error: str) -> DeviceUnreachable:
    where = f"{device.name} ({device.user}@{device.address} port {device.port})"
    if "HOST IDENTIFICATION HAS CHANGED" in error or "Host key verification failed" in error:
        return HostKeyChanged(
            f"The host key of {where} is not the pinned one. Either the device was installed anew, or somebody else "
            f"answers at its address. If you know why it changed, accept the new key: "
            f"forgelab device trust {device.name}"
        )
    if "Permission denied" in error:
        return DeviceUnreachable(
            f"{where} refused the key {device.identity.name}. Add this line to ~{device.user}/.ssh/authorized_keys "
            f"there: {device.identity.public_key}"
        )
    return DeviceUnreachable(
        f"{where} cannot be reached: {error or 'no answer'}. Is it switched on and on the network?"
    )
