"""The demo's devices: three sizes, as in the specification's example."""

from __future__ import annotations

from dataclasses import dataclass

from forgelab.accounts.actors import from_shell
from forgelab.devices import hostkeys, services
from forgelab.devices.models import Device, Identity
from forgelab.lab import Lab, LabDevice


@dataclass(frozen=True)
class Size:
    name: str
    memory: str
    cpus: float


SIZES = (Size("homelab-server-01", "3G", 2), Size("homelab-server-02", "8G", 2), Size("homelab-pi-01", "1G", 1))
IDENTITY = "lab"


def devices_up(lab: Lab) -> list[Device]:
    """Start the lab's devices and make them known to ForgeLab; those known already are looked at again.

    Raises `LabUnavailable` or `LabError` when this machine cannot.
    """
    started = [lab.up(size.name, memory=size.memory, cpus=size.cpus) for size in SIZES]
    return [_known(virtual, _identity(lab)) for virtual in started]


def _identity(lab: Lab) -> Identity:
    """The lab's key. A lab that was made again has another one, and its devices other addresses."""
    key = lab.key_path.read_text()
    identity = Identity.objects.filter(name=IDENTITY).first()
    if identity is None:
        return services.identity_add(name=IDENTITY, private_key=key, actor=from_shell())
    if identity.private_key != key:
        identity.private_key, identity.public_key = key, lab.key_path.with_suffix(".pub").read_text().strip()
        identity.save()
    return identity


def _known(virtual: LabDevice, identity: Identity) -> Device:
    # The lab made the host keys itself: it knows them without asking the network.
    keys = hostkeys.parse("\n".join(virtual.host_keys()))
    device = Device.objects.filter(name=virtual.name).first()
    if device is None:
        return services.device_add(
            name=virtual.name, address=virtual.address, host_keys=keys, identity=identity, actor=from_shell()
        )
    device.address = virtual.address
    device.save(update_fields=["address"])
    services.device_trust(device=device, host_keys=keys, actor=from_shell())
    return services.device_observe(device=device)
