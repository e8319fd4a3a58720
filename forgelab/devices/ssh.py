"""Running a short script on a device: over the system's own ssh client, or in a shell where it is this machine."""

from __future__ import annotations

import os
import pwd
import re

from forgelab.devices import connection_errors
from forgelab.devices.calls import DeviceUnreachable, HostKeyChanged, call, command_line, private_files
from forgelab.devices.models import Device

__all__ = ["DeviceUnreachable", "HostKeyChanged", "command_line", "local_user", "private_files", "run_script"]
TRANSPORT_FAILED = 255  # ssh(1): "exits with the exit status of the remote command or with 255 if an error occurred"
LONGEST_ERROR = 2000  # characters of what a device says of itself
CONNECT_TIMEOUT = 5  # seconds for each machine on the way
# A script on this machine knows no more of ForgeLab's environment, where its own keys are, than one elsewhere.
LOCAL_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def run_script(
    device: Device, script: str, *, root: bool = False, timeout: float = 20, connect_timeout: int = CONNECT_TIMEOUT
) -> str:
    """Run a POSIX shell script on the device (through sudo where `root`) and return what it printed.

    `timeout` and `connect_timeout` are seconds; everybody on the way adds another `connect_timeout`. Raises
    `DeviceUnreachable` when SSH fails or time runs out, `HostKeyChanged` when a pinned key is not the one shown,
    `RuntimeError` when the script itself fails.
    """
    if device.connection == Device.Connection.LOCAL:
        done = call(device, [*_become(root, local_user()), "sh", "-s"], script, timeout, LOCAL_ENVIRONMENT)
    else:
        with private_files(device) as folder:
            argv = [*command_line(device, folder, connect_timeout), " ".join([*_become(root, device.user), "sh -s"])]
            done = call(device, argv, script, timeout + connect_timeout * _hops(device))
        if done.returncode == TRANSPORT_FAILED:
            raise _explain(device, done.stderr.strip()[-LONGEST_ERROR:])
    if done.returncode:
        raise RuntimeError(
            done.stderr.strip()[-LONGEST_ERROR:] or f"the script ended with status {done.returncode} on {device.name}"
        )
    return done.stdout


def _hops(device: Device) -> int:
    return 1 + _hops(device.jump) if device.jump else 0


def local_user() -> str:
    """Who ForgeLab runs as."""
    return pwd.getpwuid(os.geteuid()).pw_name


def _become(root: bool, user: str) -> list[str]:
    return ["sudo", "-n", "--"] if root and user != "root" else []


def _explain(device: Device, error: str) -> DeviceUnreachable:
    """Why ssh failed. The hosts on the way are asked first: ssh does not say which of them failed."""
    if device.jump:
        try:
            run_script(device.jump, ":")
        except DeviceUnreachable as failed:
            return type(failed)(connection_errors.on_the_way(device, failed))
        except RuntimeError:  # it was reached
            pass
    if "HOST IDENTIFICATION HAS CHANGED" in error or "Host key verification failed" in error:
        return HostKeyChanged(connection_errors.key_changed(device, _shown(device, error)))
    if "Permission denied" in error:
        return DeviceUnreachable(connection_errors.refused(device))
    if device.jump and "stdio forwarding failed" in error:
        error = _words_of(device.jump, f"-W[{device.address}]:{device.port}", level="INFO") or error
    if device.jump and "administratively prohibited" in error:
        return DeviceUnreachable(connection_errors.let_nobody_through(device))
    return DeviceUnreachable(connection_errors.silent(device, error))


def _shown(device: Device, error: str) -> list[str]:
    """Fingerprints of the key that is shown now. Where ssh did not show one, it had no pinned key of that kind."""
    said = [word.rstrip(".") for word in error.split() if word.startswith("SHA256:")]
    return said or re.findall(r"Server host key: \S+ (SHA256:\S+)", _words_of(device, "-N", level="DEBUG1"))


def _words_of(device: Device, flag: str, level: str) -> str:
    """What ssh says of a way that has failed when it is asked again, to say more."""
    with private_files(device) as folder:
        argv = command_line(device, folder, CONNECT_TIMEOUT)
        argv[argv.index("LogLevel=ERROR")] = f"LogLevel={level}"
        try:
            return call(device, ["ssh", flag, *argv[1:]], "", timeout=20).stderr.strip()[-LONGEST_ERROR:]
        except DeviceUnreachable:
            return ""
