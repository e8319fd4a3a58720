"""Which host keys a request accepts: given whole, or by the fingerprints of keys that the machine shows now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.serializers import ValidationError

from forgelab.api.errors import conflict_on
from forgelab.api.host_keys.serializers import FIND_OUT
from forgelab.devices import hostkeys
from forgelab.devices.hostkeys import HostKey
from forgelab.devices.models import Device


def shown_at(address: str, port: int, jump: Device | None = None) -> list[HostKey]:
    """The keys that the machine shows now. Raises `Conflict` where none answers."""
    with conflict_on(hostkeys.HostKeyError):
        return hostkeys.scan(address, port, jump=jump)


def shown_by(device: Device) -> list[HostKey]:
    """Raises `Conflict` where the device does not answer."""
    return shown_at(device.address, device.port, device.jump)


def accepted_keys(wanted: dict[str, Any], shown: Callable[[], list[HostKey]]) -> list[HostKey]:
    """The keys that `wanted` has in `host_keys`, or those of `shown` with its `fingerprints`.

    Raises `ValidationError` naming one of the two.
    """
    if wanted.get("host_keys") and wanted.get("fingerprints"):
        raise ValidationError({"host_keys": ["Give host keys or fingerprints, not both."]})
    if texts := wanted.get("host_keys"):
        return _whole(texts)
    fingerprints = {text.rstrip("=") for text in wanted.get("fingerprints", [])}
    if not fingerprints:
        raise ValidationError({"fingerprints": [f"Give the fingerprints that you accept: {FIND_OUT}."]})
    return _by_fingerprint(fingerprints, shown())


def _whole(texts: list[str]) -> list[HostKey]:
    keys = hostkeys.parse("\n".join(texts))
    if len(keys) < len(set(texts)):
        raise ValidationError({"host_keys": ["Give keys such as ssh-ed25519 AAAA..., one in each."]})
    return keys


def _by_fingerprint(fingerprints: set[str], keys: list[HostKey]) -> list[HostKey]:
    if missing := fingerprints - {key.fingerprint for key in keys}:
        others = ", ".join(key.fingerprint for key in keys)
        sentence = f"The machine shows no host key {', '.join(sorted(missing))}, but {others}. Is it another machine?"
        raise ValidationError({"fingerprints": [sentence]})
    return [key for key in keys if key.fingerprint in fingerprints]
