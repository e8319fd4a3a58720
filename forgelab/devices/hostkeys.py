"""Fetching the host keys that a device shows, directly or through other devices."""

from __future__ import annotations

import asyncio
import subprocess

from forgelab.devices import access, ssh
from forgelab.devices.fingerprints import HostKey, parse
from forgelab.devices.models import Device

__all__ = ["HostKey", "HostKeyError", "parse", "scan"]
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512")  # what a server has at most one key of each, usually


class HostKeyError(Exception):
    """A device's host keys could not be fetched, or are not the expected ones. The message is for the user."""


def scan(address: str, port: int, timeout: int = 5, jump: Device | None = None) -> list[HostKey]:
    """The keys that the device shows now, best kind first; `timeout` in seconds.

    With `jump` it is asked through that device. Raises `HostKeyError` when nothing answers there, or ssh-keyscan is
    missing; `ssh.DeviceUnreachable` when `jump` itself cannot be reached or shows another key than its pinned one.
    """
    keys = _scan_through(jump, address, port, timeout) if jump else _keyscan(address, port, timeout)
    if not keys:
        where = f", as {jump.name} sees it" if jump else ""
        through = f"-J {jump.user}@{_in_url(jump.address)}:{jump.port} " if jump else ""
        raise HostKeyError(
            f"No SSH server answers at {address} port {port}{where}. Is the device switched on, is the address right, "
            f"and is openssh-server installed? Try: ssh {through}-p {port} {address}"
        )
    return keys


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _keyscan(address: str, port: int, timeout: int) -> list[HostKey]:
    command = ["ssh-keyscan", "-T", str(timeout), "-p", str(port), "-t", "ed25519,ecdsa,rsa", "--", address]
    try:
        done = subprocess.run(command, capture_output=True, timeout=4 * timeout, check=False)
        return parse(done.stdout.decode(errors="replace"))
    except FileNotFoundError:
        raise HostKeyError("ssh-keyscan is missing here: install the package openssh-client.") from None
    except subprocess.TimeoutExpired:
        return []


def _scan_through(jump: Device, address: str, port: int, timeout: int) -> list[HostKey]:
    """Ask over a channel of the jump host, which has shown its own pinned key.

    A jump host that lies could show any key here, as could anybody on the way to a device that is asked directly: the
    person who compares the fingerprints decides. From then on the pinned key protects from the jump host too.
    """
    ssh.run_script(jump, ":")
    behind = Device(name="new", address=address, port=port, jump=jump)
    with ssh.private_files(behind) as folder:
        proxy = ["sh", str(folder / access.script_name(access.host_of(jump))), address, str(port)]
        wait = access.connect_timeout(access.host_of(behind), timeout)
        return asyncio.run(_shown(address, port, proxy, wait))


async def _shown(address: str, port: int, proxy: list[str], timeout: int) -> list[HostKey]:
    shown = await asyncio.gather(*(_shown_of_kind(kind, address, port, proxy, timeout) for kind in KINDS))
    return parse("\n".join(shown))


async def _shown_of_kind(kind: str, address: str, port: int, proxy: list[str], timeout: int) -> str:
    """The server's key of that kind in OpenSSH's words; empty when it has none or does not answer."""
    import asyncssh  # here: it takes long to import, and only this needs it

    options = {"server_host_key_algs": [kind], "proxy_command": proxy, "config": None}
    try:
        key = await asyncio.wait_for(asyncssh.get_server_host_key(address, port, **options), timeout)
    except (OSError, asyncssh.Error, TimeoutError):
        return ""
    return key.export_public_key("openssh").decode() if key else ""
