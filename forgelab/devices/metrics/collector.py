"""The one process that asks every device once a minute, each at a moment of its own, and has the answers kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error as DatabaseFailed
from django.db import InterfaceError, OperationalError, connection

from forgelab.devices import facts
from forgelab.devices.metrics import store
from forgelab.devices.metrics.backoff import Backoff
from forgelab.devices.metrics.connections import Connections
from forgelab.devices.metrics.lease import Lease
from forgelab.devices.metrics.logins import login
from forgelab.devices.metrics.probe import Probe, ProbeFailed
from forgelab.devices.models import Device

logger = logging.getLogger(__name__)
T = TypeVar("T")

SPREAD = 0.5  # the share of the minute over which the devices' moments are spread; the rest is for their answers
DEADLINE = 0.95  # the share of the minute after which what has not answered has missed it
PATIENCE = 0.13  # the share of the minute that a kept connection may be silent before another is tried beside it
ENOUGH = 0.6  # the share of the minute that must be left: less would be no fair chance to answer
UNWRITTEN = 20  # minutes that are kept while the database does not take them; the roll-up looks back further
WAS_ASLEEP = 1.5  # times the minute: a tick that took longer was interrupted here, not by the devices


class Collector:
    """Runs until `stop` is set. `interval` is seconds between two probes, a minute but in tests."""

    def __init__(self, interval: float | None = None) -> None:
        self.interval = interval or float(settings.METRICS_INTERVAL)
        self.connections = Connections(patience=PATIENCE * self.interval)
        self.backoff = Backoff()
        self.lease = Lease()
        self.devices: list[Device] = []
        self.unwritten: deque[tuple[datetime, list[Probe]]] = deque(maxlen=UNWRITTEN)
        # One thread, so one connection to the database; nothing else ever waits for it.
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._stands_by = False

    async def run(self, stop: asyncio.Event) -> None:
        work = asyncio.create_task(self._work())
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, waiting):
            task.cancel()
        self.connections.close()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        self._database.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        writing: asyncio.Task[None] | None = None
        while True:
            begins = self._begin()
            if await self._in_charge() and self._left(begins) > ENOUGH * self.interval:
                probes = await self.tick(begins)
                self.unwritten.append((datetime.fromtimestamp(begins, UTC), probes))
                if writing is None or writing.done():  # else the next minute's writing takes this one along
                    writing = asyncio.create_task(self.write())
            await asyncio.sleep(self._left(begins))

    def _begin(self) -> float:
        """When the present minute began, by the clock that all machines share."""
        return time.time() // self.interval * self.interval

    def _left(self, begins: float) -> float:
        """Seconds until the next minute begins, also when the clock has just been put back."""
        return min(self.interval, max(0.0, begins + self.interval - time.time()))

    async def _in_charge(self) -> bool:
        """Take the lease and the list of devices; while the database does not answer, they stay those of before."""
        try:
            if not await self._ask(self.lease.hold):
                if not self._stands_by:
                    logger.info("another process watches the devices already: this one stands by")
                self._stands_by = True
                self.connections.close()
                return False
            self.devices = await self._ask(store.devices_to_ask)
        except Exception:
            logger.warning("the list of devices cannot be read", exc_info=True)
        self._stands_by = False
        return True

    async def tick(self, begins: float) -> list[Probe]:
        """Ask every device within the minute that began at `begins` (seconds since 1970)."""
        keys = [device.pk for device in self.devices]
        self.connections.keep_only(keys)
        self.backoff.keep_only(keys)
        probes: dict[Any, Probe] = {}
        asked: set[Any] = set()
        tasks = [asyncio.create_task(self._probe(device, begins, asked, probes)) for device in self.devices]
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.0, self._left(begins) - (1 - DEADLINE) * self.interval))
        silent = [d for d in self.devices if d.pk in asked - probes.keys() - self.connections.queued]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if time.time() - begins > WAS_ASLEEP * self.interval:  # this machine slept: its devices are not to blame
            return [probe for probe in probes.values() if probe.figures]
        for device in silent:
            if device.pk not in probes:
                probes[device.pk] = self._failed(device, ProbeFailed(f"{device.name} did not answer in time."))
        return list(probes.values())

    async def _probe(self, device: Device, begins: float, asked: set[Any], probes: dict[Any, Probe]) -> None:
        await asyncio.sleep(begins + self.moment(device) - time.time())
        word = login(device)
        if device.misses and (paused := self.backoff.is_paused(device.pk, word)):
            probes[device.pk] = Probe(device.pk, _now(), error=paused[0], key_changed=paused[1])
            return
        asked.add(device.pk)
        try:
            figures = facts.figures(await self.connections.ask(device, facts.FIGURES))
        except ProbeFailed as error:
            probes[device.pk] = self._failed(device, error)
        except ValueError as error:
            detail = f"{device.name} answers, but not like a Linux system that ForgeLab knows: {error}."
            probes[device.pk] = self._failed(device, ProbeFailed(detail))
        except Exception:
            logger.exception("%s could not be asked", device.name)
        else:
            self.backoff.answered(device.pk)
            probes[device.pk] = Probe(device.pk, _now(), figures)
        if device.sleeps:
            self._let_sleep(device)

    def moment(self, device: Device) -> float:
        """Seconds after the minute's begin at which the device is asked: always the same, spread by its id."""
        return zlib.crc32(device.pk.bytes) / 2**32 * SPREAD * self.interval

    def _failed(self, device: Device, error: ProbeFailed) -> Probe:
        self.backoff.failed(device.pk, login(device), str(error), refused=error.refused, key_changed=error.key_changed)
        return Probe(device.pk, _now(), error=str(error), key_changed=error.key_changed)

    def _let_sleep(self, device: Device) -> None:
        """An open session keeps some devices awake, so theirs is not kept, unless others are reached through it."""
        if all(other.jump_id != device.pk for other in self.devices):
            self.connections.drop(device.pk)

    async def write(self) -> None:
        """Store the probes, oldest first; those that the database does not take stay for the next time."""
        while self.unwritten:
            at, probes = self.unwritten[0]
            try:
                await self._ask(lambda at=at, probes=probes: store.write(at, probes))
            except (OperationalError, InterfaceError):
                logger.warning("the minute of %s is not stored yet", at, exc_info=True)
                return
            except Exception:
                logger.exception("the minute of %s cannot be stored and is left out", at)
            with contextlib.suppress(ValueError):  # when it took long, newer ones have pushed it out
                self.unwritten.remove((at, probes))

    async def _ask(self, question: Callable[[], T]) -> T:
        """Ask the database, in its thread. A connection that failed is closed: the next question opens another."""

        def answer() -> T:
            try:
                return question()
            except DatabaseFailed:
                connection.close()
                raise

        return await asyncio.get_running_loop().run_in_executor(self._database, answer)


def _now() -> datetime:
    return datetime.now(UTC)


def watch() -> None:
    """The whole life of the collecting process: until SIGTERM or SIGINT."""
    import signal

    async def live() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await Collector().run(stop)

    logging.getLogger("asyncssh").setLevel(logging.WARNING)  # it logs every connection and channel
    asyncio.run(live())
