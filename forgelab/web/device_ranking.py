"""Step 3's look at the homelab: fresh figures of every device, then the ranking."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from forgelab.devices.models import Device
from forgelab.devices.placement import Score
from forgelab.devices.services import device_observe
from forgelab.recipes.model import Recipe
from forgelab.servers.placement.ranking import placement_rank
from forgelab.servers.spec.server_spec import draft

FRESH = timedelta(minutes=2)  # every device is looked at once a minute, at a moment of its own
AT_ONCE = 8


@dataclass(frozen=True)
class Ranked:
    """A score with the device it is about."""

    score: Score
    device: Device


def stale_devices() -> list[Device]:
    """The devices whose figures are too old to choose by; one that did not answer is always asked again.

    One that is asleep could not report more: the figures from before it fell asleep count.
    """
    fresh = Device.objects.filter(status=Device.Status.REACHABLE, seen_at__gte=timezone.now() - FRESH)
    awake = Device.objects.select_related("identity").exclude(status=Device.Status.ASLEEP)
    return list(awake.exclude(pk__in=fresh.values("pk")))


def refresh_all(devices: list[Device]) -> None:
    """Ask all of them at the same time, so that one that does not answer holds nobody else up."""
    if devices:
        with ThreadPoolExecutor(min(AT_ONCE, len(devices))) as pool:
            list(pool.map(_refresh, devices))


def _refresh(device: Device) -> None:
    try:
        device_observe(device=device)
    finally:
        connection.close()


def ranking(recipe: Recipe, **known: Any) -> list[Ranked]:
    """Every device for this recipe, best first; `known` of the server as for `draft`."""
    devices = Device.objects.in_bulk(field_name="name")
    scores = placement_rank(draft(recipe, **known))
    return [Ranked(score, devices[score.name]) for score in scores if score.name in devices]
