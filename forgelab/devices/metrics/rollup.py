"""Rolling up: minutes into five minutes, these into hours; forgetting what is rolled up; availability from the sums.

Each statement takes an hour's rows at once, on the database's side, so that even a long gap never holds up others
for long. Doing it again, late, or twice at once changes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Min, Q, Sum
from django.utils import timezone

from forgelab.devices.models import Device, Sample

Span = Sample.Span
KEPT = {Span.RAW: timedelta(days=2), Span.FIVE_MINUTES: timedelta(days=30), Span.HOUR: timedelta(days=400)}
FROM = {Span.FIVE_MINUTES: Span.RAW, Span.HOUR: Span.FIVE_MINUTES}
# How far back it looks again: the collector keeps twenty minutes while the database does not take them.
AGAIN = {Span.FIVE_MINUTES: timedelta(minutes=30), Span.HOUR: timedelta(hours=1)}
SLICE = timedelta(hours=6)  # of time in one statement
MONTH = timedelta(days=30)
AVERAGED = {"load_percent": False, "temperature_celsius": False, "memory_available_mb": True, "disk_free_mb": True}
BUCKET = {
    "postgresql": "to_timestamp(floor(extract(epoch from at) / {seconds}) * {seconds})",
    "sqlite": "datetime((cast(strftime('%%s', at) as integer) / {seconds}) * {seconds}, 'unixepoch')",
}


def roll_up(now: datetime | None = None) -> None:
    """Roll up what is complete, forget what is old, and store every device's availability."""
    now = now or timezone.now()
    for span in (Span.FIVE_MINUTES, Span.HOUR):
        _fill(span, now)
    for span, age in KEPT.items():
        _forget(span, now - age)
    availability_update(now)


def floor(moment: datetime, seconds: int) -> datetime:
    """The begin of the span of so many seconds that the moment lies in."""
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


def _fill(span: Span, now: datetime) -> None:
    """Make the rows of `span` up to the last complete one, from where they end, and a little before."""
    source = Sample.objects.filter(span=FROM[span])
    end = floor(now, span)
    newest = Sample.objects.filter(span=span).aggregate(at=Max("at"))["at"]
    oldest = source.aggregate(at=Min("at"))["at"]
    if oldest is None:
        return
    begin = max(floor(oldest, span), floor(newest - AGAIN[span], span) if newest else floor(oldest, span))
    while begin < end:
        until = min(begin + SLICE, end)
        _insert(span, begin, until)
        begin = until


def _insert(span: Span, begin: datetime, end: datetime) -> None:
    bucket = BUCKET[connection.vendor].format(seconds=int(span))
    figures = ", ".join(_middle(name, whole) for name, whole in AVERAGED.items())
    names = ("asked", "answered", *AVERAGED)
    table = Sample._meta.db_table
    sql = (
        f"INSERT INTO {table} (device_id, span, at, {', '.join(names)}) "  # noqa: S608 - names of our own columns
        f"SELECT device_id, %s, {bucket} AS bucket, sum(asked), sum(answered), {figures} FROM {table} "
        f"WHERE span = %s AND at >= %s AND at < %s GROUP BY device_id, bucket "
        f"ON CONFLICT (device_id, span, at) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}"
    )
    adapt = connection.ops.adapt_datetimefield_value
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, [int(span), int(FROM[span]), adapt(begin), adapt(end)])


def _middle(name: str, whole: bool) -> str:
    """SQL of the mean, each row weighing as often as the device answered in it; null when nobody measured."""
    mean = f"sum(1.0 * {name} * answered) / nullif(sum(case when {name} is null then 0 else answered end), 0)"
    return f"cast(round({mean}) as integer)" if whole else mean


def _forget(span: Span, before: datetime) -> None:
    rows = Sample.objects.filter(span=span, at__lt=before)
    while oldest := rows.aggregate(at=Min("at"))["at"]:
        rows.filter(at__lt=oldest + SLICE).delete()


def availability_update(now: datetime) -> None:
    """Store on each device the share of the last 30 days' probes that it answered, where that has changed.

    Hours for what is past, five minutes for the present hour, minutes for the rest of it: nothing counts twice, and a
    time in which nobody asked counts neither way.
    """
    hour, minutes = floor(now, Span.HOUR), floor(now, Span.FIVE_MINUTES)
    counted = (
        Q(span=Span.HOUR, at__gte=now - MONTH, at__lt=hour)
        | Q(span=Span.FIVE_MINUTES, at__gte=hour, at__lt=minutes)
        | Q(span=Span.RAW, at__gte=minutes)
    )
    sums = Sample.objects.filter(counted).order_by().values_list("device_id").annotate(Sum("asked"), Sum("answered"))
    found = {device: round(100 * answered / asked, 3) for device, asked, answered in sums if asked}
    changed = []
    for device in Device.objects.only("availability_percent"):
        if device.availability_percent != found.get(device.pk):
            device.availability_percent = found.get(device.pk)
            changed.append(device)
    Device.objects.bulk_update(changed, ["availability_percent"], batch_size=500)
