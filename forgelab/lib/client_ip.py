"""The address that a request came from, also behind proxies."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """The address that the request came from; empty where it cannot be known.

    What a proxy says of it (X-Forwarded-For) counts only from the right as far as the proxies are trusted
    (`settings.TRUSTED_PROXIES`): whatever stands before that, anybody may have written.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    while address and _is_trusted(address) and any(forwarded):
        address = _parsed(forwarded.pop().strip())
    return str(address or "")


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_trusted(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
