"""Host keys that a person has accepted on a page, by their fingerprints."""

from __future__ import annotations

from django.http import HttpRequest

from forgelab.devices.hostkeys import HostKey


def accepted_keys(request: HttpRequest, keys: list[HostKey]) -> list[HostKey]:
    """Of the keys the device shows at this moment, those whose fingerprint the user has accepted."""
    return [key for key in keys if key.fingerprint in request.POST.getlist("accepted")]
