"""What answers to pages that add devices, in place of SSH."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from forgelab.accounts.actors import Actor
from forgelab.devices import hostkeys
from forgelab.devices.models import Device, Identity
from tests import factories

SHOWN = hostkeys.parse(factories.HOST_KEY)
OTHER = hostkeys.parse(factories.OTHER_HOST_KEY)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The keys that are shown at any address, the jump devices asked through, and the devices added."""
    world = SimpleNamespace(keys=SHOWN, error=None, added=[], scanned=[], passwords=[])

    def scan(address: str, port: int, timeout: int = 5, jump: Device | None = None) -> list[hostkeys.HostKey]:
        world.scanned.append(jump)
        if not world.keys:
            raise hostkeys.HostKeyError(f"No SSH server answers at {address} port {port}.")
        return world.keys

    def add(
        *,
        actor: Actor,
        host_keys: list[hostkeys.HostKey],
        identity: Identity | None = None,
        action: str = "",
        **fields: object,
    ) -> Device:
        if world.error:
            raise world.error
        world.added.append((host_keys, identity))
        return Device.objects.create(host_keys="\n".join(map(str, host_keys)), identity=identity, **fields)

    def add_with_password(*, password: str, **fields: object) -> Device:
        world.passwords.append(password)
        return add(**fields)

    monkeypatch.setattr("forgelab.devices.hostkeys.scan", scan)
    monkeypatch.setattr("forgelab.devices.services.device_add", add)
    monkeypatch.setattr("forgelab.devices.services.device_refresh", lambda device, actor: device)
    monkeypatch.setattr("forgelab.devices.services.device_observe", lambda device: device)
    monkeypatch.setattr("forgelab.devices.passwords.device_add_with_password", add_with_password)
    return world
