"""When a device is called down. One rule for the collector's minute and for a refresh asked for by hand."""

from __future__ import annotations

from django.conf import settings

from forgelab.devices.models import Device

MOST_MISSES = 32_767  # the column ends there, after three weeks


def status_after_miss(device: Device, *, key_changed: bool = False) -> Device.Status:
    """The status of a device that has just not answered; `device.misses` counts that already.

    One miss says nothing: a device reboots, a switch is slow. After several in a row it is down, or asleep where it is
    marked as one that sleeps. A changed host key is no miss but an answer, of somebody who is not trusted.
    """
    if key_changed:
        return Device.Status.UNREACHABLE
    if device.misses < settings.MISSES_UNTIL_DOWN:
        return Device.Status(device.status)
    return Device.Status.ASLEEP if device.sleeps else Device.Status.UNREACHABLE
