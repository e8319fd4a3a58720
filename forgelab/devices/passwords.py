"""A password used once: it puts ForgeLab's key in place, and is forgotten.

It travels inside the encrypted connection only: to the SSH server, and to sudo's standard input there. It is in no
process's arguments, no log, no file and no row.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import asyncssh
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from forgelab.devices import password_scripts as scripts
from forgelab.devices import services, ssh
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.models import Device

CONNECT = 15  # seconds for one machine to let us in
LONGEST = 90  # seconds for all of it
NO_KEYS = {"client_keys": None, "agent_path": None, "config": None, "connect_timeout": CONNECT, "login_timeout": CONNECT}


@dataclass(frozen=True)
class _Hop:
    """A device on the way, logged in to with its own key."""

    name: str
    address: str
    port: int
    user: str
    private_key: str
    known_hosts: str


class _Password(asyncssh.SSHClient):
    """Gives the password once, in whichever of the two ways the server asks for it."""

    def __init__(self, password: str) -> None:
        self._password: str | None = password
        self.was_asked = False
        self.has_expired = False

    def password_auth_requested(self) -> str | None:
        self.was_asked = True
        password, self._password = self._password, None
        return password

    def kbdint_auth_requested(self) -> str | None:
        return None if self._password is None else ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        if not prompts:  # only words, such as a greeting
            return []
        if len(prompts) > 1 or prompts[0][1]:  # a second factor, or a question whose answer is shown
            return None
        password = self.password_auth_requested()
        return None if password is None else [password]

    def password_change_requested(self, prompt: str, lang: str) -> tuple[str, str] | None:
        self.has_expired = True
        return None


@sensitive_variables("password")
def device_add_with_password(
    *, name: str, address: str, host_keys: list[HostKey], password: str, user: str = "root", port: int = 22,
    jump: Device | None = None,
) -> Device:  # fmt: skip
    """Put ForgeLab's key (and, where it is needed, a rule for sudo) on the machine by this password, and add it.

    The `host_keys` are those that the user has accepted: no other machine is given the password. Where the device
    cannot be added in the end, what was put there is taken away again. Raises `ValidationError` naming the field, such
    as `password`, and `ssh.DeviceUnreachable`.
    """
    identity = services.identity_default()
    device = Device(
        name=name, address=address, user=user, port=port, identity=identity, jump=jump,
        host_keys="\n".join(str(key) for key in host_keys),
    )  # fmt: skip
    device.full_clean()
    if not password:
        raise ValidationError({"password": f"Give the password of {user}."})
    hops = _hops(jump)
    done = asyncio.run(_timed(_put_in_place(device, hops, password, identity.public_key)))
    try:
        return services.device_add(name=name, address=address, host_keys=host_keys, user=user, port=port, jump=jump)
    except BaseException:
        with contextlib.suppress(ValidationError, ssh.DeviceUnreachable):
            asyncio.run(_timed(_take_away(device, hops, password, identity.public_key, done)))
        raise


def _hops(jump: Device | None) -> list[_Hop]:
    """The way to the machine, the first one first; read here, since the database is not asked from within a loop."""
    hops: list[_Hop] = []
    while jump:
        if jump.identity is None:
            raise ValidationError({"jump": f"{jump.name} is this machine itself: leave the jump device empty."})
        hops.insert(0, _Hop(jump.name, jump.address, jump.port, jump.user, jump.identity.private_key, jump.known_hosts))
        jump = jump.jump
    return hops


async def _timed(work):  # noqa: ANN001, ANN202 - whatever it is, in time
    try:
        return await asyncio.wait_for(work, LONGEST)
    except TimeoutError:
        raise ssh.DeviceUnreachable(f"The machine did not answer within {LONGEST} seconds.") from None


@sensitive_variables("password")
async def _put_in_place(device: Device, hops: list[_Hop], password: str, public_key: str) -> scripts.Done:
    async with contextlib.AsyncExitStack() as stack:
        connection = await _connect(stack, device, hops, password)
        # sudo first: who may not use it finds nothing on the machine afterwards that was not there before.
        rule = await _allow_sudo(connection, device, password)
        told = await _told(connection, scripts.add_key(public_key))
        if told not in ("added", "kept"):
            raise ValidationError(
                {"user": f"ForgeLab's key could not be written to ~{device.user}/.ssh/authorized_keys on "
                         f"{device.address}. Has {device.user} a home folder, and room on the disk?"}
            )  # fmt: skip
        return scripts.Done(rule_added=rule, key_added=told == "added")


@sensitive_variables("password")
async def _take_away(device: Device, hops: list[_Hop], password: str, public_key: str, done: scripts.Done) -> None:
    async with contextlib.AsyncExitStack() as stack:
        connection = await _connect(stack, device, hops, password)
        if done.key_added:
            await connection.run("sh -s", input=scripts.remove_key(public_key))
        if done.rule_added:
            await connection.run("sh -s", input=scripts.remove_rule(device.user))


async def _told(connection: asyncssh.SSHClientConnection, script: str) -> str:
    """What the script said after the mark; a shell's start-up files may print whatever they like before it."""
    answer = await connection.run("sh -s", input=script, errors="replace")
    return scripts.told(str(answer.stdout))


@sensitive_variables("password")
async def _allow_sudo(connection: asyncssh.SSHClientConnection, device: Device, password: str) -> bool:
    """Let the user become root without a password where it needs one; whether a rule for it was made."""
    state = await _told(connection, scripts.ASK_SUDO)
    if state in ("root", "free"):
        return False
    if state == "missing":
        raise ValidationError({"user": scripts.no_sudo(device.user, device.address)})
    # The script is an argument and no secret; sudo reads the password from its standard input, where nothing else is.
    answer = await connection.run(scripts.with_sudo(scripts.add_rule(device.user)), input=f"{password}\n", errors="replace")
    if (result := scripts.told(str(answer.stdout))) in ("added", "kept"):
        return result == "added"
    said = str(answer.stderr).replace(password, "...")
    raise ValidationError(scripts.sudo_refused(device.user, device.address, said))


@sensitive_variables("password")
async def _connect(
    stack: contextlib.AsyncExitStack, device: Device, hops: list[_Hop], password: str
) -> asyncssh.SSHClientConnection:
    where = f"{device.address} port {device.port}"
    tunnel = None
    client = _Password(password)
    try:
        for hop in hops:
            where = f"{hop.name} ({hop.address} port {hop.port}), the jump device,"
            key = asyncssh.import_private_key(hop.private_key)
            tunnel = await stack.enter_async_context(
                asyncssh.connect(
                    hop.address, hop.port, username=hop.user, tunnel=tunnel or (),
                    known_hosts=asyncssh.import_known_hosts(hop.known_hosts), **NO_KEYS | {"client_keys": [key]},
                )
            )  # fmt: skip
        where = f"{device.address} port {device.port}"
        return await stack.enter_async_context(
            asyncssh.connect(
                device.address, device.port, username=device.user, tunnel=tunnel or (),
                known_hosts=asyncssh.import_known_hosts(device.known_hosts), client_factory=lambda: client,
                preferred_auth="password,keyboard-interactive", **NO_KEYS,
            )
        )  # fmt: skip
    except asyncssh.HostKeyNotVerifiable:
        raise ssh.HostKeyChanged(f"{where} shows another host key than the accepted one. Nothing was sent.") from None
    except asyncssh.PermissionDenied:
        if where.endswith(","):
            raise ssh.DeviceUnreachable(f"{where} refused ForgeLab's key.") from None
        raise ValidationError({"password": _refused(device, client)}) from None
    except (asyncssh.Error, OSError) as error:
        raise ssh.DeviceUnreachable(f"{where} cannot be reached: {error or 'no answer'}.") from None


def _refused(device: Device, client: _Password) -> str:
    user, where = device.user, device.address
    if client.has_expired:
        return f"The password of {user} on {where} has expired. Log in there, set a new one, and come back."
    if not client.was_asked:
        return f"{where} lets nobody in by a password alone. Use the one-line command there, or a key."
    if user == "root":
        return (
            f"{where} refused the password of root. Unless it is wrong: Debian lets root in by a key only. Give a user "
            "who may use sudo, or use the one-line command."
        )
    return f"{where} refused the password of {user}."
