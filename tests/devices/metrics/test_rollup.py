"""Rolled-up samples and the availability that comes from them, on whichever database the tests run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from forgelab.devices import tasks
from forgelab.devices.metrics.rollup import roll_up
from forgelab.devices.models import Device, Sample

pytestmark = pytest.mark.django_db
Span = Sample.Span
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def minute(device: Device, at: datetime, load: float | None = 10.0, span: int = Span.RAW, **fields: object) -> Sample:
    """A probe at that minute; with no load the device missed it."""
    known = {"load_percent": load, "answered": int(load is not None)}
    if load is not None:
        known |= {"memory_available_mb": 1000, "disk_free_mb": 5000, "temperature_celsius": 50.0}
    return Sample(device=device, span=span, at=at, **(known | fields))


def minutes(device: Device, begin: datetime, count: int, load: float | None = 10.0) -> None:
    Sample.objects.bulk_create(minute(device, begin + timedelta(minutes=n), load) for n in range(count))


def rows(span: int) -> list[tuple]:
    found = Sample.objects.filter(span=span).order_by("at")
    return list(found.values_list("at", "asked", "answered", "load_percent"))


def availability(device: Device) -> float | None:
    device.refresh_from_db(fields=["availability_percent"])
    return device.availability_percent


def test_minutes_become_five_and_these_an_hour(device: Device) -> None:
    minutes(device, NOON, 5, 10.0)
    minutes(device, NOON + timedelta(minutes=5), 55, 20.0)
    roll_up(NOON + timedelta(hours=1))
    five = rows(Span.FIVE_MINUTES)
    assert five[0] == (NOON, 5, 5, 10.0)
    assert five[1] == (NOON + timedelta(minutes=5), 5, 5, 20.0)
    assert len(five) == 12
    assert rows(Span.HOUR) == [(NOON, 60, 60, pytest.approx((5 * 10 + 55 * 20) / 60))]
    hour = Sample.objects.get(span=Span.HOUR)
    assert (hour.memory_available_mb, hour.disk_free_mb, hour.temperature_celsius) == (1000, 5000, 50.0)


def test_what_was_missed_counts_as_asked_and_measures_nothing(device: Device) -> None:
    minutes(device, NOON, 3, 30.0)
    minutes(device, NOON + timedelta(minutes=3), 2, None)
    minutes(device, NOON + timedelta(minutes=5), 5, None)
    roll_up(NOON + timedelta(minutes=10))
    assert rows(Span.FIVE_MINUTES) == [(NOON, 5, 3, 30.0), (NOON + timedelta(minutes=5), 5, 0, None)]
    assert availability(device) == 30.0


def test_what_is_not_complete_waits(device: Device) -> None:
    minutes(device, NOON, 4)
    roll_up(NOON + timedelta(minutes=4, seconds=30))
    assert rows(Span.FIVE_MINUTES) == []
    assert availability(device) == 100.0


def test_again_late_and_with_late_minutes_it_comes_out_the_same(device: Device) -> None:
    minutes(device, NOON, 60)
    Sample.objects.filter(at__gte=NOON + timedelta(minutes=56)).delete()
    for _ in range(2):
        roll_up(NOON + timedelta(hours=1))
        assert [row[1] for row in rows(Span.HOUR)] == [56]
    minutes(device, NOON + timedelta(minutes=56), 4, None)  # the database was away, and now they are written
    roll_up(NOON + timedelta(hours=1, minutes=5))
    assert [row[1:3] for row in rows(Span.HOUR)] == [(60, 56)]
    assert availability(device) == pytest.approx(100 * 56 / 60, abs=0.001)


def test_after_days_without_the_clock_everything_is_made_up_for(device: Device) -> None:
    minutes(device, NOON, 60)
    roll_up(NOON + timedelta(minutes=5))
    minutes(device, NOON + timedelta(days=3), 60, None)
    roll_up(NOON + timedelta(days=3, hours=1))
    assert [row[1:3] for row in rows(Span.HOUR)] == [(60, 60), (60, 0)]
    assert Sample.objects.filter(span=Span.RAW, at__lt=NOON + timedelta(days=1)).count() == 0
    assert availability(device) == 50.0  # the days in between, when nobody asked, count neither way


def test_each_span_is_kept_for_its_time(device: Device) -> None:
    now = NOON
    for span, days in ((Span.RAW, 2), (Span.FIVE_MINUTES, 30), (Span.HOUR, 400)):
        for age in (timedelta(days=days, hours=2), timedelta(days=days) - timedelta(hours=2)):
            minute(device, now - age, span=span).save()
    roll_up(now)
    for span, days in ((Span.RAW, 2), (Span.FIVE_MINUTES, 30), (Span.HOUR, 400)):
        assert not Sample.objects.filter(span=span, at__lt=now - timedelta(days=days)).exists()
        assert Sample.objects.filter(span=span, at__lt=now - timedelta(days=days) + timedelta(hours=3)).exists()


def test_availability_counts_thirty_days_and_nothing_twice(device: Device) -> None:
    now = NOON + timedelta(minutes=33)
    hours = [
        minute(device, NOON - timedelta(days=29, hours=n), span=Span.HOUR, asked=60, answered=60) for n in range(3)
    ]
    old = minute(device, NOON - timedelta(days=31), span=Span.HOUR, asked=60, answered=0)
    Sample.objects.bulk_create([*hours, old])
    minutes(device, NOON, 20)
    minutes(device, NOON + timedelta(minutes=20), 13, None)
    roll_up(now)
    assert availability(device) == pytest.approx(100 * (180 + 20) / (180 + 33), abs=0.001)


def test_devices_are_apart_and_one_that_nobody_asked_has_none(make_device: Callable[..., Device]) -> None:
    good, bad, new = make_device("good"), make_device("bad"), make_device("new", availability_percent=99.0)
    minutes(good, NOON, 10)
    minutes(bad, NOON, 10, None)
    roll_up(NOON + timedelta(minutes=10))
    assert [availability(d) for d in (good, bad, new)] == [100.0, 0.0, None]


@pytest.mark.django_db(transaction=True)
def test_the_clocks_task_rolls_up(device: Device) -> None:
    minutes(device, datetime.now(UTC) - timedelta(minutes=30), 20)
    tasks.roll_up_metrics()
    assert Sample.objects.filter(span=Span.FIVE_MINUTES).exists()
    assert availability(device) == 100.0
