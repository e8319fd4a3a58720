from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forgelab.devices.metrics import history
from forgelab.devices.models import Device, Sample

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 12, 3, tzinfo=UTC)


def sample(device: Device, ago: timedelta, load: float | None, span: int = Sample.Span.FIVE_MINUTES) -> None:
    at = history.floor(NOW - ago, span)
    Sample.objects.create(device=device, span=span, at=at, load_percent=load, memory_available_mb=load and 4096)


def test_a_day_has_a_place_for_each_five_minutes_and_gaps_stay_empty(device: Device) -> None:
    sample(device, timedelta(hours=23), 10.0)
    sample(device, timedelta(hours=1), 30.0)
    sample(device, timedelta(hours=1, minutes=5), None)
    sample(device, timedelta(days=2), 99.0)
    load, memory = history.last_day(device, NOW)
    assert (load.name, memory.name) == ("load_percent", "memory_available_mb")
    assert len(load.values) == 288
    assert {n: v for n, v in enumerate(load.values) if v is not None} == {287 - 23 * 12: 10.0, 287 - 12: 30.0}
    assert (load.now, load.lowest, load.highest) == (None, 0.0, 100.0)
    assert (memory.lowest, memory.highest) == (0.0, 16384.0)


def test_minutes_that_are_not_rolled_up_yet_are_there_too(device: Device) -> None:
    sample(device, timedelta(minutes=10), 10.0)
    for minute, load in ((2, 20.0), (1, 40.0)):
        sample(device, timedelta(minutes=minute), load, Sample.Span.RAW)
    sample(device, timedelta(minutes=9), 77.0, Sample.Span.RAW)  # in the five minutes that are rolled up
    load = history.last_day(device, NOW)[0]
    assert load.values[-3:] == (10.0, None, 30.0)
    assert load.now == 30.0


def test_a_load_beyond_all_cores_is_drawn_whole(device: Device) -> None:
    sample(device, timedelta(minutes=10), 420.0)
    assert history.last_day(device, NOW)[0].highest == 420.0


def test_a_device_that_was_never_asked_has_none(device: Device) -> None:
    assert history.last_day(device, NOW) == []
    assert history.with_loads([device])[0].load_history is None


def test_the_loads_of_all_devices_are_one_question(make_device: Callable[..., Device]) -> None:
    devices = [make_device(f"device-{n}") for n in range(5)]
    for n, device in enumerate(devices[:4]):
        sample(device, timedelta(hours=3), n * 10.0, Sample.Span.HOUR)
        sample(device, timedelta(minutes=1), n * 20.0)
    with CaptureQueriesContext(connection) as queries:
        found = history.loads(devices, NOW)
    assert len(queries) == 1
    assert [found[device.pk].known for device in devices[:4]] == [[n * 10.0, n * 20.0] for n in range(4)]
    assert devices[4].pk not in found
