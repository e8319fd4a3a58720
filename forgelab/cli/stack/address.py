"""Where the web pages are served: the listening socket, the URL to show, the host names to answer to."""

from __future__ import annotations

import socket

from forgelab.lib.public_url import is_local, own_address


class AddressTaken(Exception):
    """The web server cannot listen there. The message says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `AddressTaken` for a port in use, a host that is not ours, or a forbidden port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        other = f"forgelab up --port {port + 1}"
        raise AddressTaken(
            f"Cannot listen on {host} port {port}: {error.strerror or error}. Try another: {other}"
        ) from None
    return listener


def is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def url(host: str, port: int) -> str:
    """The URL to open; for a server on all addresses, that of the one that leads to the network."""
    shown = own_address() if is_any(host) else host
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def allowed_hosts(host: str) -> list[str]:
    """The names under which a browser on the network may ask for a server that listens on `host`."""
    if is_local(host):
        return []
    name = socket.gethostname()
    return [name, f"{name}.local", own_address()] if is_any(host) else [f"[{host}]" if ":" in host else host]
