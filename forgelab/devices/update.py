"""Marking devices as ones that sleep, and the card's address by which they are woken."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import transaction

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices.models import Device


def device_update(
    *, device: Device, sleeps: bool | None = None, mac_address: str | None = None, actor: Actor
) -> Device:
    """Change what is given; None leaves a value as it is. An empty address is read from the device at its next refresh.

    Raises `ValidationError` naming the field.
    """
    check(actor, "device.update", device)
    if sleeps and device.connection == Device.Connection.LOCAL:
        raise ValidationError(
            {"sleeps": f"{device.name} is the machine that ForgeLab runs on: asleep, it wakes nobody."}
        )
    changed = {"sleeps": sleeps, "mac_address": None if mac_address is None else _plain(mac_address)}
    changed = {name: value for name, value in changed.items() if value is not None}
    if changed.get("sleeps") is False and device.status == Device.Status.ASLEEP:
        changed["status"] = Device.Status.UNREACHABLE  # it is not expected to be silent any more
    before = audit.state(device, *changed) if changed else {}
    for name, value in changed.items():
        setattr(device, name, value)
    with transaction.atomic():
        if changed:
            device.save(update_fields=list(changed))
        audit.record(actor=actor, action="device.update", obj=device, before=before, after=changed)
    return device


def _plain(text: str) -> str:
    """`52-54-00-AB-CD-EF` as `52:54:00:ab:cd:ef`."""
    digits = re.sub(r"[:.\-]", "", text.strip().lower())
    if not digits:
        return ""
    if not re.fullmatch(r"[0-9a-f]{12}", digits) or not digits.strip("0"):
        shown = text.strip()[:40]
        raise ValidationError(
            {"mac_address": f'"{shown}" is no address of a network card: give twelve hexadecimal digits, such as '
                            "52:54:00:12:34:56. On the device, `ip link` shows it."}
        )  # fmt: skip
    return ":".join(digits[n : n + 2] for n in range(0, 12, 2))
