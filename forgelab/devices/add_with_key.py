"""Adding a device that lets a key in already: ForgeLab's own, or one that the user brings."""

from __future__ import annotations

import itertools

from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices import services
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.identities import identity_default, identity_find, identity_store
from forgelab.devices.models import Device, Identity


def device_add_with_key(
    *, name: str, address: str, host_keys: list[HostKey], private_key: str = "", passphrase: str = "",
    user: str = "root", port: int = 22, jump: Device | None = None, actor: Actor,
) -> Device:  # fmt: skip
    """Add a device; without a `private_key` it is logged in to with ForgeLab's own.

    A key that does not open the device is not kept. Raises `ValidationError` naming the field, such as `passphrase`,
    and `ssh.DeviceUnreachable`.
    """
    check(actor, "device.add")
    identity, is_new = _identity(private_key, passphrase, name)
    try:
        return services.device_add(
            name=name,
            address=address,
            host_keys=host_keys,
            user=user,
            port=port,
            identity=identity,
            jump=jump,
            actor=actor,
        )
    except BaseException:
        if is_new:
            identity.delete()
        raise


def _identity(private_key: str, passphrase: str, device: str) -> tuple[Identity, bool]:
    """The key to log in with, and whether it was stored just now; one key is stored once for all its devices."""
    if not private_key.strip():
        return identity_default(), False
    if known := identity_find(private_key, passphrase):
        return known, False
    taken = set(Identity.objects.values_list("name", flat=True))
    names = itertools.chain([f"{device[:50]}-key"], (f"{device[:50]}-key-{number}" for number in itertools.count(2)))
    name = next(name for name in names if name not in taken)
    return identity_store(name=name, private_key=private_key, passphrase=passphrase), True
