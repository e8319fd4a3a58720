"""What is recorded of what people do with devices, beyond that it is (tests/accounts/test_every_service.py)."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.accounts.models import AuditEntry
from forgelab.devices import services, update
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.models import Device, Identity


def test_a_change_is_recorded_with_what_was_before(device: Device) -> None:
    update.device_update(device=device, sleeps=True, mac_address="52:54:00:12:34:56", actor=SYSTEM)

    entry = AuditEntry.objects.get()
    assert entry.before == {"sleeps": False, "mac_address": ""}
    assert entry.after == {"sleeps": True, "mac_address": "52:54:00:12:34:56"}


def test_other_host_keys_are_recorded_by_their_fingerprints(device: Device) -> None:
    services.device_trust(device=device, host_keys=[HostKey("ssh-ed25519", "AAAA")], actor=SYSTEM)

    entry = AuditEntry.objects.get()
    assert entry.action == "device.trust"
    assert entry.before["fingerprints"][0].startswith("SHA256:")
    assert entry.after["fingerprints"] == [HostKey("ssh-ed25519", "AAAA").fingerprint]


def test_a_removed_device_is_still_known_by_its_name_and_address(device: Device) -> None:
    services.device_remove(device=device, actor=SYSTEM)

    entry = AuditEntry.objects.get()
    assert (entry.object_name, entry.before["address"]) == ("homelab-server-01", "127.0.0.1")


def test_what_was_refused_is_not_recorded(device: Device) -> None:
    with pytest.raises(ValidationError):
        services.device_trust(device=device, host_keys=[], actor=SYSTEM)

    assert not AuditEntry.objects.exists()


def test_a_key_is_recorded_without_its_private_half(db: None, private_key: str) -> None:
    services.identity_add(name="mine", private_key=private_key, actor=SYSTEM)

    entry = AuditEntry.objects.get()
    assert entry.after == {"name": "mine", "public_key": Identity.objects.get().public_key}
