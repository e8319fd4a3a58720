"""Under which address other machines reach ForgeLab's web pages."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

# Such a URL goes into a shell command that people copy: nothing but what an address needs may be in it.
URL = re.compile(r"https?://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
URL_RULE = "give http:// or https://, a host name or address, and a port where it needs one"


def is_url(text: str) -> bool:
    """Whether `text` is a base URL that may stand in a command."""
    return URL.fullmatch(text) is not None


def is_local(host: str) -> bool:
    """Whether only this machine can reach `host`, an IP address or a name."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def choose(*, configured: str, asked: str, listening: str) -> str | None:
    """The base URL, without a slash at its end, to give to other machines; None where none would lead here.

    `configured` is what the user set and always wins. `asked` is the URL by which the present request came, `listening`
    the one of the listening socket; each may be empty. An address by number comes before a name: a small machine often
    cannot look up the names that a desktop knows.
    """
    if configured:
        return configured.rstrip("/")
    reachable = [url.rstrip("/") for url in (asked, listening) if is_url(url) and not is_local(_host(url))]
    return next((url for url in reachable if _is_number(_host(url))), reachable[0] if reachable else None)


def own_address() -> str:
    """The address of this machine on the way out; nothing is sent (connecting a UDP socket only looks up the route)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def restart_command(listening: str) -> str:
    """How to start ForgeLab so that the network reaches it, on the port it has now."""
    port = urlsplit(listening).port if is_url(listening) else None
    return "forgelab up --host 0.0.0.0" + (f" --port {port}" if port not in (None, 8000) else "")


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
