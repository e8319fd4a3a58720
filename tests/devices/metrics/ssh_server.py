"""Devices for tests and the bench: SSH servers of asyncssh in this process, which answer, lag, refuse or hang up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncssh

ANSWER = """cores=4
memory_total_kb=16777216
memory_available_kb=8388608
load=1.00
uptime=86400
disk_total_kb=104857600
disk_free_kb=52428800
heat=cpu-thermal 51100
"""


def new_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


def private_text(key: asyncssh.SSHKey) -> str:
    return key.export_private_key("openssh").decode()


def public_text(key: asyncssh.SSHKey) -> str:
    return key.export_public_key("openssh").decode().strip()


@dataclass
class FakeDevice:
    """Listens on a free loopback port once started. Change `answer`, `delay` (seconds) and `client` while it runs."""

    client: asyncssh.SSHKey
    host_key: asyncssh.SSHKey = field(default_factory=new_key)
    answer: str = ANSWER
    delay: float = 0.0
    port: int = 0
    logins: int = 0
    asked: int = 0
    scripts: list[str] = field(default_factory=list)
    _server: asyncssh.SSHAcceptor | None = None
    _open: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    async def start(self) -> FakeDevice:
        self._server = await asyncssh.create_server(
            lambda: _Server(self), "127.0.0.1", self.port, server_host_keys=[self.host_key],
            process_factory=self._process, reuse_address=True,
        )  # fmt: skip
        self.port = self._server.get_port()
        return self

    async def stop(self) -> None:
        """As if the power were cut: nobody listens, and no connection is left."""
        if self._server:
            self._server.close()
            self._server = None
        self.hang_up()
        await asyncio.sleep(0)

    def hang_up(self) -> None:
        for connection in self._open:
            connection.abort()
        self._open.clear()

    async def _process(self, process: asyncssh.SSHServerProcess[str]) -> None:
        self.scripts.append(await process.stdin.read())
        self.asked += 1
        await asyncio.sleep(self.delay)
        process.stdout.write(self.answer)
        process.exit(0)


class _Server(asyncssh.SSHServer):
    def __init__(self, device: FakeDevice) -> None:
        self.device = device

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.device._open.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return bool(key.public_data == self.device.client.public_data)

    def auth_completed(self) -> None:
        self.device.logins += 1

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True  # it is a jump host for whoever may log in


def run(story: Callable[[], Awaitable[None]], timeout: float = 120) -> None:
    asyncio.run(asyncio.wait_for(story(), timeout))
