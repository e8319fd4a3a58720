"""Running a short script on a device: over the system's own ssh client, or in a shell where it is this machine."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forgelab.devices import access, fingerprints
from forgelab.devices.models import Device

TRANSPORT_FAILED = 255  # ssh(1): "exits with the exit status of the remote command or with 255 if an error occurred"
LONGEST_ERROR = 2000  # characters of what a device says of itself
CONNECT_TIMEOUT = 5  # seconds for each machine on the way
# A script on this machine knows no more of ForgeLab's environment, where its own keys are, than one elsewhere.
LOCAL_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


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


def run_script(
    device: Device, script: str, *, root: bool = False, timeout: float = 20, connect_timeout: int = CONNECT_TIMEOUT
) -> str:
    """Run a POSIX shell script on the device (through sudo where `root`) and return what it printed.

    `timeout` and `connect_timeout` are seconds. Raises `DeviceUnreachable` when SSH fails or time runs out,
    `HostKeyChanged` when a pinned key is not the one shown, `RuntimeError` when the script itself fails.
    """
    if device.connection == Device.Connection.LOCAL:
        done = _run(device, [*_become(root, local_user()), "sh", "-s"], script, timeout, LOCAL_ENVIRONMENT)
    else:
        with private_files(device) as folder:
            argv = [*command_line(device, folder, connect_timeout), " ".join([*_become(root, device.user), "sh -s"])]
            done = _run(device, argv, script, timeout)
        if done.returncode == TRANSPORT_FAILED:
            raise _explain(device, done.stderr.strip()[-LONGEST_ERROR:])
    if done.returncode:
        raise RuntimeError(
            done.stderr.strip()[-LONGEST_ERROR:] or f"the script ended with status {done.returncode} on {device.name}"
        )
    return done.stdout


def local_user() -> str:
    """Who ForgeLab runs as."""
    return pwd.getpwuid(os.geteuid()).pw_name


def _become(root: bool, user: str) -> list[str]:
    return ["sudo", "-n", "--"] if root and user != "root" else []


def _run(
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


def _explain(device: Device, error: str) -> DeviceUnreachable:
    """Why ssh failed. Whoever stands on the way is asked first: ssh does not say which of them failed."""
    if device.jump:
        try:
            run_script(device.jump, ":")
        except DeviceUnreachable as failed:
            return type(failed)(f"{device.name} is reached through {device.jump.name}. {failed}")
    where = f"{device.name} ({device.user}@{device.address} port {device.port})"
    if "HOST IDENTIFICATION HAS CHANGED" in error or "Host key verification failed" in error:
        return HostKeyChanged(_changed(device, where, error))
    if "Permission denied" in error:
        return DeviceUnreachable(
            f"{where} refused the key {device.identity.name}. Add this line to ~{device.user}/.ssh/authorized_keys "
            f"there: {device.identity.public_key}"
        )
    if device.jump and "administratively prohibited" in error:
        return DeviceUnreachable(
            f"{device.jump.name} lets nobody through to {where}. Set `AllowTcpForwarding yes` in its "
            "/etc/ssh/sshd_config and restart ssh there."
        )
    through = f" from {device.jump.name}, through which it is reached" if device.jump else ""
    return DeviceUnreachable(
        f"{where} cannot be reached{through}: {error or 'no answer'}. Is it switched on and on the network?"
    )


def _changed(device: Device, where: str, error: str) -> str:
    pinned = ", ".join(key.fingerprint for key in fingerprints.parse(device.host_keys)) or "none"
    shown = ", ".join(_shown(device, error)) or "not to be had"
    return (
        f"HOST KEY CHANGED: that of {where} is not the pinned one. Pinned: {pinned}. Shown now: {shown}. "
        "Either the device was installed anew, or somebody else answers at its address. Nothing was done there. "
        f"If you know why it changed, accept the new key: forgelab device trust {device.name}"
    )


def _shown(device: Device, error: str) -> list[str]:
    """Fingerprints of the key that is shown now. Where ssh did not tell, it has only no key of that kind to compare."""
    return [word.rstrip(".") for word in error.split() if word.startswith("SHA256:")] or _asked_again(device)


def _asked_again(device: Device) -> list[str]:
    with private_files(device) as folder, contextlib.suppress(DeviceUnreachable):
        argv = command_line(device, folder, CONNECT_TIMEOUT)
        argv[argv.index("LogLevel=ERROR")] = "LogLevel=DEBUG1"
        return re.findall(r"Server host key: \S+ (SHA256:\S+)", _run(device, [*argv, "true"], "", timeout=20).stderr)
    return []
