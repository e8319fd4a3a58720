"""What the collector reads from the database and writes to it: one short transaction a minute, whatever the number."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from forgelab.devices.metrics.probe import Probe
from forgelab.devices.metrics.status import MOST_MISSES, status_after_miss
from forgelab.devices.models import Device, Identity, Sample

logger = logging.getLogger(__name__)

MEASURED = ("load_percent", "memory_available_mb", "disk_free_mb", "temperature_celsius")
STATED = ("status", "status_detail", "misses")
BATCH = 500  # rows of one statement


def devices_to_ask() -> list[Device]:
    """All devices with what is needed to reach them, each with its key and the device it is reached through."""
    identities = Identity.objects.in_bulk()
    devices = {device.pk: device for device in Device.objects.defer("disks", "listening")}
    for device in devices.values():
        device.identity = identities.get(device.identity_id)
        device.jump = devices.get(device.jump_id)
    return [device for device in devices.values() if not _is_reached_through_itself(device)]


def _is_reached_through_itself(device: Device) -> bool:
    """Whether the way leads in a circle, which no form accepts and no loop would end on."""
    way: set[object] = set()
    hop: Device | None = device
    while hop is not None and hop.pk not in way:
        way.add(hop.pk)
        hop = hop.jump
    return hop is not None


@transaction.atomic
def write(at: datetime, probes: Sequence[Probe]) -> int:
    """Keep a minute's probes; returns how many were new.

    A device of which this minute is kept already is left alone, so that of two collectors only the first counts: the
    rows are locked until the commit, and the samples are unique.
    """
    found = {probe.device: probe for probe in probes}
    devices = Device.objects.select_for_update(no_key=True).order_by("pk").only("name", "seen_at", "sleeps", *STATED)
    rows = {device.pk: device for device in devices if device.pk in found}
    known = set(Sample.objects.filter(span=Sample.Span.RAW, at=at).values_list("device_id", flat=True))
    samples, answered, missed = [], [], []
    for key, device in rows.items():
        probe = found[key]
        if key in known or (device.seen_at and device.seen_at > probe.at):  # meanwhile somebody else has looked
            continue
        (answered if probe.figures else missed).append(device)
        _take(device, probe)
        # A device that may sleep is not expected to answer, so its silence is no question that was left open.
        if probe.figures or not device.sleeps:
            samples.append(_sample(device, at, probe))
    Sample.objects.bulk_create(samples, batch_size=BATCH, ignore_conflicts=True)
    _update(answered, [*MEASURED, *STATED, "uptime_seconds", "seen_at"])
    _update(missed, STATED)
    return len(answered) + len(missed)


def _update(devices: Sequence[Device], names: Sequence[str]) -> None:
    """Store these fields of the devices. Django's own bulk_update writes a CASE for each field and row, which keeps
    SQLite's only writer busy for a hundred times as long."""
    if not devices:
        return
    fields = [Device._meta.get_field(name) for name in (*names, "id")]
    rows = [[field.get_db_prep_save(getattr(device, field.name), connection) for field in fields] for device in devices]
    changes = ", ".join(f"{field.column} = %s" for field in fields[:-1])
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {Device._meta.db_table} SET {changes} WHERE id = %s", rows)  # noqa: S608 - our names


def _sample(device: Device, at: datetime, probe: Probe) -> Sample:
    sample = Sample(device=device, span=Sample.Span.RAW, at=at, asked=1, answered=1 if probe.figures else 0)
    for name in MEASURED if probe.figures else ():
        setattr(sample, name, getattr(probe.figures, name))
    return sample


def _take(device: Device, probe: Probe) -> None:
    before = device.status
    if probe.figures:
        for name in (*MEASURED, "uptime_seconds"):
            setattr(device, name, getattr(probe.figures, name))
        device.status, device.status_detail = Device.Status.REACHABLE, ""
        device.misses, device.seen_at = 0, probe.at
    else:
        device.misses = min(device.misses + 1, MOST_MISSES)
        device.status = status_after_miss(device, key_changed=probe.key_changed)
        device.status_detail = probe.error
    if device.status != before:
        level = logging.ERROR if probe.key_changed else logging.INFO
        logger.log(level, "%s is %s. %s", device.name, device.status, device.status_detail)
