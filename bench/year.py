"""A year of samples on SQLite, as the roll-up leaves it: `python -m bench.year DEVICES`, as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

YEAR = timedelta(days=365)


def main(count: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forgelab.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    from django.conf import settings
    from django.db import connection
    from django.utils import timezone

    from forgelab.devices.metrics import history, rollup
    from forgelab.devices.models import Device, Identity, Sample

    identity = Identity.objects.create(name="bench", private_key="none", public_key="")
    devices = [Device(name=f"bench-{n}", address="192.0.2.1", identity=identity) for n in range(count)]
    Device.objects.bulk_create(devices)
    path = settings.DATABASES["default"]["NAME"]
    _settle(connection)
    empty = path.stat().st_size
    now = rollup.floor(timezone.now(), 3600) + timedelta(seconds=1)
    _insert(connection, devices, now, rollup.KEPT)
    _settle(connection)
    size = path.stat().st_size - empty
    seconds = {"roll-up": _timed(lambda: rollup.roll_up(now + timedelta(minutes=5)))}
    seconds["a device's page"] = _timed(lambda: history.last_day(devices[0], now))
    seconds["the loads of all in the list"] = _timed(lambda: history.loads(devices, now))
    rows = {span.label: Sample.objects.filter(span=span).count() for span in Sample.Span}
    print(json.dumps({"rows": rows, "mb": size / 2**20, "seconds": seconds}))


def _insert(connection: Any, devices: list[Any], now: Any, kept: dict[Any, timedelta]) -> None:
    from django.db import transaction

    sql = ("INSERT INTO devices_sample (device_id, span, at, asked, answered, load_percent, memory_available_mb, "
           "disk_free_mb, temperature_celsius) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")  # fmt: skip
    for span, age in kept.items():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.connection.executemany(sql, _rows(devices, now, int(span), min(age, YEAR)))


def _rows(devices: list[Any], now: Any, span: int, age: timedelta) -> Iterator[tuple]:
    keys = [device.pk.hex for device in devices]
    for n in range(int(age.total_seconds()) // span, 0, -1):  # by time, as they come
        at = (now - timedelta(seconds=1 + n * span)).strftime("%Y-%m-%d %H:%M:%S")
        for key in keys:
            yield (key, span, at, span // 60, span // 60, 12.3 + n % 7, 4096 + n % 100, 200_000 - n % 1000, 51.1)


def _settle(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]))
