"""One kept SSH connection to each device, and the script that is run over it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any
from uuid import UUID

import asyncssh

from forgelab.devices import connection_errors, ssh
from forgelab.devices.metrics.logins import Client, explained, login, options
from forgelab.devices.metrics.probe import ProbeFailed
from forgelab.devices.models import Device

AT_ONCE = 32  # connections that are being made at the same time: each costs some milliseconds of computing
PATIENCE = 8.0  # seconds that a kept connection is given before another is tried beside it
LONGEST = 256 * 1024  # characters of an answer


class Connections:
    """Kept connections by the device's id. `ask` makes them, `keep_only` ends those of devices that are gone."""

    def __init__(self, at_once: int = AT_ONCE, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._open: dict[UUID, tuple[str, asyncssh.SSHClientConnection]] = {}
        self._making: dict[UUID, asyncio.Lock] = {}
        self._turn = asyncio.Semaphore(at_once)
        self.queued: set[UUID] = set()  # those that wait for their turn to be connected: nobody has asked them yet

    def __len__(self) -> int:
        return len(self._open)

    async def ask(self, device: Device, script: str) -> str:
        """What a POSIX shell script prints on the device. Raises `ProbeFailed`; takes as long as the device takes."""
        if device.connection == Device.Connection.LOCAL:
            return await _here(script)
        with explained(device):
            kept = self._kept(device)
            if kept is None:
                return await _run(await self._connect(device), script)
            return await self._ask_kept(device, kept, script)

    async def _ask_kept(self, device: Device, kept: asyncssh.SSHClientConnection, script: str) -> str:
        """Over the kept connection; when that is silent or broken, over another: the first answer counts.

        After a reboot, or a router that has forgotten the connection, the device is there and only the old way is not.
        """
        asking = {asyncio.create_task(_run(kept, script))}
        try:
            done, _ = await asyncio.wait(asking, timeout=self.patience)
            if not done or done.pop().exception():
                if self._kept(device) is kept:
                    del self._open[device.pk]
                asking.add(asyncio.create_task(self._run_on_a_new_connection(device, script)))
            return await _first(asking)
        finally:
            for task in asking:
                task.cancel()
            if self._kept(device) is not kept:
                kept.abort()

    async def _run_on_a_new_connection(self, device: Device, script: str) -> str:
        return await _run(await self._connect(device), script)

    def _kept(self, device: Device) -> asyncssh.SSHClientConnection | None:
        word, connection = self._open.get(device.pk, ("", None))
        if connection is None or (word == login(device) and not connection.is_closed()):
            return connection
        self.drop(device.pk)
        return None

    async def _connect(self, device: Device) -> asyncssh.SSHClientConnection:
        async with self._making.setdefault(device.pk, asyncio.Lock()):
            if kept := self._kept(device):
                return kept
            tunnel = await self._through(device) if device.jump else None
            self.queued.add(device.pk)
            try:
                await self._turn.acquire()
            finally:
                self.queued.discard(device.pk)
            shown: list[str] = []
            try:
                with explained(device, shown):
                    connection = await asyncssh.connect(
                        **options(device), tunnel=tunnel, client_factory=lambda: Client(shown)
                    )
            finally:
                self._turn.release()
            self._open[device.pk] = login(device), connection
            return connection

    async def _through(self, device: Device) -> asyncssh.SSHClientConnection:
        """The kept connection to the device's jump host."""
        assert device.jump  # noqa: S101 - for mypy: nobody else asks
        try:
            return await self._connect(device.jump)
        except ProbeFailed as error:
            detail = connection_errors.on_the_way(device, error)
            raise ProbeFailed(detail, refused=error.refused, key_changed=error.key_changed) from None

    def drop(self, key: UUID) -> None:
        """End the connection to a device, if there is one."""
        if key in self._open:
            self._open.pop(key)[1].abort()

    def keep_only(self, keys: Iterable[UUID]) -> None:
        wanted = set(keys)
        for key in [key for key in self._open if key not in wanted]:
            self.drop(key)
        self._making = {key: lock for key, lock in self._making.items() if key in wanted}

    def close(self) -> None:
        self.keep_only(())


async def _first(asking: set[asyncio.Task[str]]) -> str:
    """The first answer; when all have failed, the failure of the last."""
    waiting = set(asking)
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        good = [task for task in done if not task.exception()]
        if good or not waiting:
            return (good or list(done))[0].result()


async def _run(connection: asyncssh.SSHClientConnection, script: str) -> str:
    process = await connection.create_process("sh -s", errors="replace", stderr=asyncssh.DEVNULL)
    try:
        process.stdin.write(script)
        process.stdin.write_eof()
        return await _all_of(_pieces(process.stdout))
    finally:
        process.close()


async def _here(script: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "sh", "-s", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=ssh.LOCAL_ENVIRONMENT,
    )  # fmt: skip
    try:
        assert process.stdin and process.stdout  # noqa: S101 - for mypy: they are pipes
        process.stdin.write(script.encode())
        process.stdin.close()
        return await _all_of(_pieces(process.stdout))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _pieces(stream: Any) -> AsyncIterator[str]:
    while piece := await stream.read(65_536):
        yield piece if isinstance(piece, str) else piece.decode(errors="replace")


async def _all_of(pieces: AsyncIterator[str]) -> str:
    text = ""
    async for piece in pieces:
        text += piece
        if len(text) > LONGEST:
            raise ProbeFailed("It answers without end: what logs in there prints more than a shell script.")
    return text
