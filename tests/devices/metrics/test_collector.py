"""The collector itself, minute by minute, with real SSH on loopback and the real database."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError, connections

from forgelab.devices.metrics import collector as module
from forgelab.devices.metrics import store
from forgelab.devices.metrics.collector import Collector
from forgelab.devices.metrics.connections import Connections
from forgelab.devices.models import Device, Identity, Sample
from tests.devices.metrics.ssh_server import FakeDevice, new_key, private_text, public_text, run

pytestmark = pytest.mark.django_db(transaction=True)
KEY = new_key()
MINUTE = 3600.0  # seconds; long, so that a slow machine is never late, and shortened where time must run out


class Own(Collector):
    """A collector whose minutes are begun by the test and end when all have answered."""

    now = 0.0

    async def minute(self) -> None:
        self.now += 60
        self.devices = await self._ask(store.devices_to_ask)
        probes = await self.tick(time.time())
        self.unwritten.append((module.datetime.fromtimestamp(self.now, module.UTC), probes))
        await self.write()

    def moment(self, device: Device) -> float:
        return 0.0

    async def end(self) -> None:
        self.connections.close()
        await self._ask(connections.close_all)
        self._database.shutdown()


@pytest.fixture
def homelab(db: None) -> Callable[..., Device]:
    identity = Identity.objects.create(name="forgelab", public_key=public_text(KEY), private_key=private_text(KEY))

    def make(name: str, fake: FakeDevice, **fields: object) -> Device:
        known = {"address": "127.0.0.1", "port": fake.port, "identity": identity, "user": "pi",
                 "host_keys": public_text(fake.host_key)}  # fmt: skip
        return Device.objects.create(name=name, **(known | fields))

    return make


def states() -> dict[str, tuple[str, int]]:
    return {name: (status, misses) for name, status, misses in Device.objects.values_list("name", "status", "misses")}


def in_thread(question: Callable[[], object]) -> object:
    """Ask the database from a coroutine of a test."""

    def answer() -> object:
        try:
            return question()
        finally:
            connections.close_all()

    return asyncio.to_thread(answer)


def test_from_reachable_to_down_and_back(homelab) -> None:
    async def story() -> None:
        fake, steady = await FakeDevice(KEY).start(), await FakeDevice(KEY).start()
        await in_thread(lambda: (homelab("nas", fake), homelab("pi", steady)))
        collector = Own(MINUTE)
        await collector.minute()
        assert await in_thread(states) == {"nas": ("reachable", 0), "pi": ("reachable", 0)}
        await fake.stop()
        await collector.minute()
        assert await in_thread(states) == {"nas": ("reachable", 1), "pi": ("reachable", 0)}
        await collector.minute()
        await collector.minute()
        assert (await in_thread(states))["nas"] == ("unreachable", 3)
        await fake.start()
        for _ in range(3):  # it may just be left alone for a minute
            await collector.minute()
        assert (await in_thread(states))["nas"] == ("reachable", 0)
        assert (steady.logins, steady.asked) == (1, 7)
        counts = await in_thread(lambda: [Sample.objects.filter(device__name=n).count() for n in ("nas", "pi")])
        assert counts == [7, 7]  # what was not asked, being left alone, counts as missed
        await collector.end()
        await fake.stop()
        await steady.stop()

    run(story)


def test_a_changed_key_is_reported_in_the_same_minute_and_trusting_the_new_one_heals_in_the_next(homelab) -> None:
    async def story() -> None:
        fake = await FakeDevice(KEY).start()
        await in_thread(lambda: homelab("nas", fake, host_keys=public_text(new_key()), status="reachable"))
        collector = Own(MINUTE)
        for misses in (1, 2, 3):
            await collector.minute()
            assert await in_thread(states) == {"nas": ("unreachable", misses)}
        detail = await in_thread(lambda: Device.objects.get().status_detail)
        assert "not the pinned one" in detail and "forgelab device trust nas" in detail
        assert fake.asked == 0
        await in_thread(lambda: Device.objects.update(host_keys=public_text(fake.host_key)))
        await collector.minute()
        assert await in_thread(states) == {"nas": ("reachable", 0)}
        await collector.end()
        await fake.stop()

    run(story)


def test_a_device_that_refuses_us_is_not_asked_every_minute(homelab) -> None:
    async def story() -> None:
        fake = await FakeDevice(new_key()).start()
        connected: list[int] = []
        fake_connect = Connections.ask

        async def ask(self, device, script):
            connected.append(1)
            return await fake_connect(self, device, script)

        await in_thread(lambda: homelab("nas", fake))
        collector = Own(MINUTE)
        collector.connections.ask = ask.__get__(collector.connections)
        for _ in range(10):
            await collector.minute()
        assert len(connected) < 5  # fail2ban's limit in ten minutes
        assert await in_thread(states) == {"nas": ("unreachable", 10)}
        await collector.end()
        await fake.stop()

    run(story)


def test_a_late_answer_counts_and_none_within_the_minute_is_a_miss(homelab) -> None:
    async def story() -> None:
        late, never = await FakeDevice(KEY, delay=1.0).start(), await FakeDevice(KEY, delay=3600.0).start()
        await in_thread(lambda: (homelab("late", late), homelab("never", never)))
        collector = Own(10.0)
        await collector.minute()
        assert await in_thread(states) == {"late": ("reachable", 0), "never": ("unknown", 1)}
        assert (
            await in_thread(lambda: Device.objects.get(name="never").status_detail) == "never did not answer in time."
        )
        await collector.end()
        await late.stop()
        await never.stop()

    run(story)


def test_a_device_whose_turn_did_not_come_has_missed_nothing(homelab) -> None:
    async def story() -> None:
        silent = await asyncio.start_server(lambda *_: asyncio.sleep(3600), "127.0.0.1", 0)
        fake = await FakeDevice(KEY).start()
        hanging = silent.sockets[0].getsockname()[1]
        await in_thread(lambda: (homelab("nas", fake, port=hanging), homelab("pi", fake)))
        collector = Own(4.0)
        collector.connections = Connections(at_once=1)
        await collector.minute()
        assert await in_thread(states) == {"nas": ("unknown", 1), "pi": ("unknown", 0)}
        assert await in_thread(Sample.objects.count) == 1
        await collector.end()
        await fake.stop()
        silent.close()

    run(story)


def test_devices_that_come_change_and_go_are_picked_up_by_the_next_minute(homelab) -> None:
    async def story() -> None:
        first, second = await FakeDevice(KEY).start(), await FakeDevice(KEY).start()
        await in_thread(lambda: homelab("one", first))
        collector = Own(MINUTE)
        await collector.minute()
        await in_thread(lambda: homelab("two", second))
        await collector.minute()
        assert second.asked == 1
        await in_thread(lambda: Device.objects.filter(name="two").delete())
        await in_thread(lambda: Device.objects.update(port=second.port, host_keys=public_text(second.host_key)))
        await collector.minute()
        assert (first.asked, second.asked) == (2, 2)
        assert len(collector.connections) == 1
        await collector.end()
        await first.stop()
        await second.stop()

    run(story)


def test_no_session_is_kept_on_a_device_that_sleeps(homelab) -> None:
    async def story() -> None:
        fake = await FakeDevice(KEY).start()
        await in_thread(lambda: homelab("nas", fake, sleeps=True))
        collector = Own(MINUTE)
        await collector.minute()
        assert len(collector.connections) == 0
        await fake.stop()
        for _ in range(3):
            await collector.minute()
        assert await in_thread(states) == {"nas": ("asleep", 3)}
        assert await in_thread(Sample.objects.count) == 1
        await collector.end()

    run(story)


def test_minutes_that_the_database_does_not_take_are_stored_later(homelab, monkeypatch) -> None:
    async def story() -> None:
        fake = await FakeDevice(KEY).start()
        await in_thread(lambda: homelab("nas", fake))
        collector, real = Own(MINUTE), store.write

        def refuse(*args: object) -> int:
            raise OperationalError("database is locked")

        monkeypatch.setattr(store, "write", refuse)
        await collector.minute()
        await collector.minute()
        monkeypatch.setattr(store, "write", real)
        await collector.minute()
        assert await in_thread(Sample.objects.count) == 3
        await collector.end()
        await fake.stop()

    run(story)


def test_a_machine_that_slept_itself_blames_nobody(homelab, monkeypatch) -> None:
    async def story() -> None:
        fake = await FakeDevice(KEY).start()
        await in_thread(lambda: homelab("nas", fake))
        await fake.stop()
        collector = Own(MINUTE)
        collector.devices = await in_thread(store.devices_to_ask)
        assert len(await collector.tick(time.time())) == 1
        assert await collector.tick(time.time() - 2 * MINUTE) == []
        await collector.end()

    run(story)


def test_it_runs_by_itself_and_ends_when_stopped(homelab) -> None:
    async def story() -> None:
        fake = await FakeDevice(KEY).start()
        await in_thread(lambda: homelab("nas", fake))
        stop, collector = asyncio.Event(), Collector(1.0)
        running = asyncio.create_task(collector.run(stop))
        while fake.asked < 2 or not await in_thread(Sample.objects.count):
            await asyncio.sleep(0.05)
        await collector._ask(connections.close_all)
        stop.set()
        await running
        await fake.stop()

    run(story)


def test_only_one_of_two_asks(homelab, tmp_path, settings) -> None:
    settings.DATA_DIR = tmp_path

    async def story() -> None:
        first, second = Own(MINUTE), Own(MINUTE)
        assert await first._in_charge()
        assert not await second._in_charge()
        await first.end()
        if first.lease._file is not None:
            os.close(first.lease._file)
        assert await second._in_charge()
        await second.end()

    run(story)


def test_moments_are_spread_over_the_first_half_of_the_minute() -> None:
    collector = Collector(60.0)
    moments = [collector.moment(Device(name=f"d{n}")) for n in range(500)]
    assert all(0 <= moment < 30 for moment in moments)
    assert max(sum(int(m) == second for m in moments) for second in range(30)) < 50
