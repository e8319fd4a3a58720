"""A password used once: it puts ForgeLab's key in place, and is forgotten.

It travels inside the encrypted connection only: to the SSH server, and to sudo's standard input there. It is in no
process's arguments, no log, no file and no row.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import asyncssh
from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices import access, hostkeys, services, ssh
from forgelab.devices import password_scripts as scripts
from forgelab.devices.access import Host
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.models import Device

T = TypeVar("T")
CONNECT = 15  # seconds for one machine to let us in
LONGEST = 90  # seconds for all of it
# Nothing of the person's own: no settings, no agent, no keys lying about.
ALONE: dict[str, Any] = {
    "config": None, "agent_path": None, "client_keys": None, "connect_timeout": CONNECT, "login_timeout": CONNECT,
}  # fmt: skip


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
    jump: Device | None = None, actor: Actor,
) -> Device:  # fmt: skip
    """Put ForgeLab's key (and, where it is needed, a rule for sudo) on the machine by this password, and add it.

    The `host_keys` are those that the user has accepted: no other machine is given the password. Where the device
    cannot be added in the end, what was put there is taken away again. Raises `ValidationError` naming the field, such
    as `password`, and `ssh.DeviceUnreachable`.
    """
    check(actor, "device.add")
    identity = services.identity_default()
    device = Device(
        name=name, address=address, user=user, port=port, identity=identity, jump=jump,
        host_keys="\n".join(str(key) for key in host_keys),
    )  # fmt: skip
    device.full_clean()
    if not password or "\n" in password or "\0" in password:
        raise ValidationError({"password": f"Give the password of {user}: it is one line."})
    host = access.host_of(device)
    done = asyncio.run(_timed(_put_in_place(host, password, identity.public_key)))
    try:
        return services.device_add(
            name=name, address=address, host_keys=host_keys, user=user, port=port, jump=jump, actor=actor
        )
    except BaseException:
        with contextlib.suppress(ValidationError, ssh.DeviceUnreachable):
            asyncio.run(_timed(_take_away(host, password, identity.public_key, done)))
        raise


async def _timed(work: Awaitable[T]) -> T:
    try:
        return await asyncio.wait_for(work, LONGEST)
    except TimeoutError:
        raise ssh.DeviceUnreachable(f"The machine did not answer within {LONGEST} seconds.") from None


@sensitive_variables("password")
async def _put_in_place(host: Host, password: str, public_key: str) -> scripts.Done:
    async with contextlib.AsyncExitStack() as stack:
        connection = await _connect(stack, host, password)
        # sudo first: who may not use it finds nothing on the machine afterwards that was not there before.
        rule = await _allow_sudo(connection, host, password)
        state = await _answer(connection, scripts.add_key(public_key))
        if state not in ("added", "kept"):
            if rule:
                await connection.run("sh -s", input=scripts.remove_rule(host.user))
            raise ValidationError(
                {"user": f"ForgeLab's key could not be written to ~{host.user}/.ssh/authorized_keys on "
                         f"{host.address}. Has {host.user} a home folder, and room on the disk?"}
            )  # fmt: skip
        return scripts.Done(rule_added=rule, key_added=state == "added")


@sensitive_variables("password")
async def _take_away(host: Host, password: str, public_key: str, done: scripts.Done) -> None:
    async with contextlib.AsyncExitStack() as stack:
        connection = await _connect(stack, host, password)
        if done.key_added:
            await connection.run("sh -s", input=scripts.remove_key(public_key))
        if done.rule_added:
            await connection.run("sh -s", input=scripts.remove_rule(host.user))


async def _answer(connection: asyncssh.SSHClientConnection, script: str) -> str:
    """What the script said after the mark; a shell's start-up files may print whatever they like before it."""
    answer = await connection.run("sh -s", input=script, errors="replace")
    return scripts.answer_in(str(answer.stdout))


@sensitive_variables("password")
async def _allow_sudo(connection: asyncssh.SSHClientConnection, host: Host, password: str) -> bool:
    """Let the user become root without a password where it needs one; whether a rule for it was made."""
    state = await _answer(connection, scripts.ASK_SUDO)
    if state in ("root", "free"):
        return False
    if state == "missing":
        raise ValidationError({"user": scripts.no_sudo(host.user, host.address)})
    # The script is an argument and no secret; sudo reads the password from its standard input, where nothing else is.
    answer = await connection.run(
        scripts.with_sudo(scripts.add_rule(host.user)), input=f"{password}\n", errors="replace"
    )
    if (result := scripts.answer_in(str(answer.stdout))) in ("added", "kept"):
        return result == "added"
    said = str(answer.stderr).replace(password, "...")
    raise ValidationError(scripts.sudo_refused(host.user, host.address, said))


@sensitive_variables("password")
async def _connect(stack: contextlib.AsyncExitStack, host: Host, password: str) -> asyncssh.SSHClientConnection:
    """Log in to every machine on the way with its key, and to the last one with the password."""
    client = _Password(password)
    connection: asyncssh.SSHClientConnection | None = None
    for each in host.way():
        last = each is host
        chosen = (
            {"client_factory": lambda: client, "preferred_auth": "password,keyboard-interactive"}
            if last
            else {"client_keys": [asyncssh.import_private_key(each.private_key)]}
        )
        pinned = [asyncssh.import_public_key(str(key)) for key in hostkeys.parse(each.known_hosts)]
        where = f"{each.address} port {each.port}"
        try:
            connection = await stack.enter_async_context(
                asyncssh.connect(
                    each.address, each.port, username=each.user, tunnel=connection or (), known_hosts=(pinned, [], []),
                    **ALONE | chosen,
                )
            )  # fmt: skip
        except asyncssh.HostKeyNotVerifiable:
            raise ssh.HostKeyChanged(
                f"{where} shows another host key than the accepted one. It was not given the password."
            ) from None
        except asyncssh.PermissionDenied:
            if last:
                raise ValidationError({"password": _refused(host, client)}) from None
            raise ssh.DeviceUnreachable(f"{each.name} ({where}), the jump device, refused its key.") from None
        except (asyncssh.Error, OSError) as error:
            raise ssh.DeviceUnreachable(f"{where} cannot be reached: {error or 'no answer'}.") from None
    assert connection  # noqa: S101 - the way has at least the machine itself
    return connection


def _refused(host: Host, client: _Password) -> str:
    user, where = host.user, host.address
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
