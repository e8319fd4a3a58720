"""Why a device could not be reached, and what to do: the same sentences for every caller. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from forgelab.devices import fingerprints

if TYPE_CHECKING:
    from forgelab.devices.models import Device


def where(device: Device) -> str:
    return f"{device.name} ({device.user}@{device.address} port {device.port})"


def on_the_way(device: Device, failed: object) -> str:
    """It is the jump host that failed, for the reason `failed`."""
    return f"{device.name} is reached through {device.jump.name if device.jump else 'another'}. {failed}"


def key_changed(device: Device, shown: Iterable[str]) -> str:
    """Another host key than the pinned ones; `shown` are its fingerprints where they are known."""
    pinned = ", ".join(key.fingerprint for key in fingerprints.parse(device.host_keys)) or "none"
    return (
        f"HOST KEY CHANGED: that of {where(device)} is not the pinned one. Pinned: {pinned}. "
        f"Shown now: {', '.join(shown) or 'unknown'}. "
        "Either the device was reinstalled, or somebody else answers at its address; ForgeLab does nothing there. "
        f"If you know why it changed, accept the new key: forgelab device trust {device.name}"
    )


def refused(device: Device) -> str:
    key = device.identity
    return (
        f"{where(device)} refused the key {key.name if key else '(none)'}. Add this line to "
        f"~{device.user}/.ssh/authorized_keys there: {key.public_key if key else ''}"
    )


def let_nobody_through(device: Device) -> str:
    return (
        f"{device.jump.name if device.jump else 'The device'} lets nobody through to {where(device)}. Set "
        "`AllowTcpForwarding yes` in its /etc/ssh/sshd_config and restart ssh there."
    )


def silent(device: Device, error: str) -> str:
    through = f" from {device.jump.name}, through which it is reached" if device.jump else ""
    return f"{where(device)} cannot be reached{through}: {error or 'no answer'}. Is it switched on and on the network?"
