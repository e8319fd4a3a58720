"""Reading what devices have measured: the last day of one, the load of all, the samples of a span."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from forgelab.devices.metrics.rollup import floor
from forgelab.devices.models import Device, Sample

DAY = timedelta(days=1)
FIVE, HOUR, RAW = Sample.Span.FIVE_MINUTES, Sample.Span.HOUR, Sample.Span.RAW
COOL, HOT = 20.0, 90.0  # degrees Celsius between which temperatures are drawn, unless one is beyond


@dataclass(frozen=True)
class Series:
    """One figure over the last day, a value for each five minutes, None where nothing was measured.

    `lowest` and `highest` are the edges of the drawing, in the figure's own unit: percent, MiB or degrees.
    """

    name: str
    values: tuple[float | None, ...]
    lowest: float
    highest: float

    @property
    def known(self) -> list[float]:
        return [value for value in self.values if value is not None]

    @property
    def now(self) -> float | None:
        """The newest figure, if there is one of the last quarter of an hour."""
        return next((value for value in reversed(self.values[-3:]) if value is not None), None)


def samples(device: Device, span: int, since: datetime) -> QuerySet[Sample]:
    """The device's samples of that span from that moment on, oldest first."""
    return Sample.objects.filter(device=device, span=span, at__gte=since).order_by("at")


def last_day(device: Device, now: datetime | None = None) -> list[Series]:
    """Load, memory, storage and temperature of the last 24 hours; only those that were ever measured then."""
    now = now or timezone.now()
    begin = floor(now, FIVE) - DAY + timedelta(seconds=FIVE)
    names = ("load_percent", "memory_available_mb", "disk_free_mb", "temperature_celsius")
    five = list(samples(device, FIVE, begin).values_list("at", *names))
    raw = samples(device, RAW, five[-1][0] + timedelta(seconds=FIVE) if five else begin).values_list("at", *names)
    slots = _slots([*five, *raw], begin, FIVE, DAY // timedelta(seconds=FIVE), len(names))
    edges = {
        "load_percent": (0.0, 100.0), "memory_available_mb": (0.0, float(device.memory_total_mb or 0)),
        "disk_free_mb": (0.0, float(device.disk_total_mb or 0)), "temperature_celsius": (COOL, HOT),
    }  # fmt: skip
    found = []
    for name, values in zip(names, slots, strict=True):
        known = [value for value in values if value is not None]
        if known:
            lowest, highest = edges[name]
            found.append(Series(name, tuple(values), min(lowest, *known), max(highest, *known)))
    return found


def loads(devices: Iterable[Device], now: datetime | None = None) -> dict[UUID, Series]:
    """The load of each of these devices over the last 24 hours, an hour a value, in one question."""
    now = now or timezone.now()
    begin = floor(now, HOUR) - DAY + timedelta(seconds=HOUR)
    keys = [device.pk for device in devices]
    measured = Sample.objects.filter(Q(span=HOUR, at__gte=begin) | Q(span=FIVE, at__gte=floor(now, HOUR)))
    rows: dict[UUID, list[tuple[datetime, float | None]]] = {key: [] for key in keys}
    for key, at, load in measured.filter(device__in=keys).order_by().values_list("device_id", "at", "load_percent"):
        rows[key].append((at, load))
    found = {}
    for key, own in rows.items():
        values = _slots(own, begin, HOUR, 24, 1)[0]
        known = [value for value in values if value is not None]
        if known:
            found[key] = Series("load_percent", tuple(values), 0.0, max(100.0, *known))
    return found


def _slots(rows: Iterable[tuple], begin: datetime, seconds: int, count: int, width: int) -> list[list[float | None]]:
    """For each of `width` columns the mean of every span since `begin`; None for spans without a value."""
    sums = [[[0.0, 0] for _ in range(count)] for _ in range(width)]
    for at, *values in rows:
        slot = int((at - begin).total_seconds() // seconds)
        for column, value in enumerate(values):
            if value is not None and 0 <= slot < count:
                sums[column][slot][0] += value
                sums[column][slot][1] += 1
    return [[total / number if number else None for total, number in column] for column in sums]


def with_loads(devices: Iterable[Device]) -> list[Device]:
    """The devices, each with its load's history as `load_history`, None without any."""
    listed = list(devices)
    found = loads(listed)
    for device in listed:
        device.load_history = found.get(device.pk)  # type: ignore[attr-defined]
    return listed
