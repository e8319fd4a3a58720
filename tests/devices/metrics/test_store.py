"""Keeping a minute's probes: figures, misses, and when a device is called down or asleep."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forgelab.devices import facts
from forgelab.devices.metrics import store
from forgelab.devices.metrics.probe import Probe
from forgelab.devices.models import Device, Sample
from tests.devices.metrics.ssh_server import ANSWER

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
FIGURES = facts.figures(ANSWER)


def seen(device: Device, minute: int = 0) -> int:
    at = AT + timedelta(minutes=minute)
    return store.write(at, [Probe(device.pk, at + timedelta(seconds=20), FIGURES)])


def missed(device: Device, minute: int = 0, why: str = "no answer", key_changed: bool = False) -> int:
    at = AT + timedelta(minutes=minute)
    return store.write(at, [Probe(device.pk, at + timedelta(seconds=20), error=why, key_changed=key_changed)])


def state(device: Device) -> tuple[str, int, str]:
    device.refresh_from_db()
    return device.status, device.misses, device.status_detail


def test_what_a_device_measured_is_kept_and_shown(device: Device) -> None:
    seen(device)
    device.refresh_from_db()
    assert (device.load_percent, device.memory_available_mb, device.disk_free_mb) == (25.0, 8192, 51200)
    assert (device.uptime_seconds, device.temperature_celsius, device.seen_at) == (
        86400,
        51.1,
        AT + timedelta(seconds=20),
    )
    sample = Sample.objects.get()
    assert (sample.at, sample.span, sample.asked, sample.answered) == (AT, 60, 1, 1)
    assert (sample.load_percent, sample.memory_available_mb, sample.disk_free_mb) == (25.0, 8192, 51200)


def test_one_miss_is_counted_and_changes_nothing_else(device: Device) -> None:
    seen(device)
    missed(device, 1)
    assert state(device) == ("reachable", 1, "no answer")
    assert device.memory_available_mb == 8192
    assert list(Sample.objects.values_list("asked", "answered", "load_percent")) == [(1, 1, 25.0), (1, 0, None)]


def test_after_several_misses_in_a_row_it_is_unreachable_and_the_next_answer_heals(device: Device) -> None:
    for minute in range(3):
        missed(device, minute)
    assert state(device) == ("unreachable", 3, "no answer")
    seen(device, 3)
    assert state(device) == ("reachable", 0, "")


def test_misses_that_are_not_in_a_row_say_nothing(device: Device) -> None:
    for minute in range(9):
        (seen if minute % 3 == 2 else missed)(device, minute)
        assert state(device)[0] == "reachable"


def test_how_many_misses_is_a_setting(device: Device, settings: object) -> None:
    settings.MISSES_UNTIL_DOWN = 1
    missed(device)
    assert state(device)[0] == "unreachable"


def test_a_device_that_sleeps_is_asleep_and_its_sleep_is_no_sample(make_device: Callable[..., Device]) -> None:
    device = make_device(sleeps=True)
    seen(device)
    for minute in range(1, 6):
        missed(device, minute)
    assert state(device)[:2] == ("asleep", 5)
    assert Sample.objects.count() == 1
    seen(device, 6)
    assert state(device)[0] == "reachable"


@pytest.mark.parametrize("sleeps", [False, True])
def test_a_changed_key_is_reported_at_once_and_loudly(make_device, caplog, sleeps: bool) -> None:
    device = make_device(sleeps=sleeps)
    missed(device, 0, "The host key is not the pinned one.", key_changed=True)
    assert state(device) == ("unreachable", 1, "The host key is not the pinned one.")
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_device_that_was_never_seen_is_not_called_down_by_one_miss(make_device) -> None:
    device = make_device(status=Device.Status.UNKNOWN)
    missed(device)
    assert state(device)[0] == "unknown"


def test_what_a_person_decides_is_not_written(device: Device) -> None:
    """The collector's list of devices is a minute old when it writes: meanwhile somebody may have changed one."""
    at = AT
    probes = [Probe(device.pk, at, FIGURES)]
    Device.objects.filter(pk=device.pk).update(address="192.0.2.7", host_keys="other", sleeps=True, name="renamed")
    store.write(at, probes)
    device.refresh_from_db()
    assert (device.address, device.host_keys, device.sleeps, device.name) == ("192.0.2.7", "other", True, "renamed")


def test_a_miss_is_overtaken_by_somebody_who_has_seen_the_device_since(device: Device) -> None:
    Device.objects.filter(pk=device.pk).update(seen_at=AT + timedelta(seconds=40))
    assert missed(device) == 0
    assert state(device) == ("reachable", 0, "")


def test_a_device_that_is_gone_meanwhile_is_left_out(device: Device, make_device) -> None:
    other = make_device("other")
    probes = [Probe(d.pk, AT, FIGURES) for d in (device, other)]
    other.delete()
    assert store.write(AT, probes) == 1


def test_the_same_minute_counts_once(device: Device) -> None:
    assert (missed(device), missed(device), seen(device)) == (1, 0, 0)
    assert state(device)[1] == 1
    assert Sample.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_collectors_at_once_do_not_count_twice(make_device) -> None:
    devices = [make_device(f"device-{n}") for n in range(20)]
    probes = [Probe(device.pk, AT, error="no answer") for device in devices]
    ready, done = threading.Barrier(2), []

    def collect() -> None:
        try:
            ready.wait(30)
            done.append(store.write(AT, probes))
        finally:
            connection.close()

    threads = [threading.Thread(target=collect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == [0, 20]
    assert set(Device.objects.values_list("misses", flat=True)) == {1}
    assert Sample.objects.count() == 20


def test_a_minute_of_hundreds_is_a_handful_of_statements(make_device) -> None:
    devices = [make_device(f"device-{n}") for n in range(300)]
    probes = [Probe(d.pk, AT, FIGURES) if n % 3 else Probe(d.pk, AT, error="no") for n, d in enumerate(devices)]
    with CaptureQueriesContext(connection) as queries:
        assert store.write(AT, probes) == 300
    assert len(queries) < 20


def test_devices_come_with_their_keys_and_ways(make_device, identity) -> None:
    gate = make_device("gate")
    make_device("behind", jump=gate)
    make_device("here", connection="local", identity=None, host_keys="")
    with CaptureQueriesContext(connection) as queries:
        found = {device.name: device for device in store.devices_to_ask()}
        assert found["behind"].jump is found["gate"]
        assert found["behind"].identity.private_key == identity.private_key
        assert found["here"].identity is None
    assert len(queries) == 2


def test_a_way_in_a_circle_is_not_followed(make_device) -> None:
    one, other = make_device("one"), make_device("other")
    Device.objects.filter(pk=one.pk).update(jump=other)
    Device.objects.filter(pk=other.pk).update(jump=one)
    make_device("third", jump=one)
    assert store.devices_to_ask() == []
