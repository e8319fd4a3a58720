"""Values that are lists, and names of servers: networks as people write them, made canonical."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable

from forgelab.lib import names
from forgelab.lib.problems import quoted
from forgelab.lib.reader import kind_of

LIMIT = 100
NETWORK_LENGTH = 49  # eight groups of an IPv6 address, a slash and three digits, with room to spare
NETWORK_EXAMPLE = "such as 192.168.1.0/24 or 192.168.1.7"


def split(text: str) -> list[str]:
    """`10.0.0.0/8, 192.168.1.0/24` as its parts; line breaks and spaces separate as commas do."""
    return [part for part in re.split(r"[,\s]+", text) if part]


def network(value: object) -> str:
    """The network in canonical form, a single address as /32 or /128. Raises ValueError saying what is allowed."""
    if not isinstance(value, str):
        raise ValueError(f"must be networks {NETWORK_EXAMPLE}, not {kind_of(value)}")
    try:
        wide = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"{quoted(value)} is not a network; write an address or a network {NETWORK_EXAMPLE}") from None
    if "%" in value:
        raise ValueError(f"{quoted(value)} has a zone (%), which means something else on every device; leave it out")
    address = ipaddress.ip_address(value.partition("/")[0])
    if address != wide.network_address:
        alone = ipaddress.ip_network(address)
        raise ValueError(f'{quoted(value)} is an address inside a network; write "{wide}" for all of it or "{alone}"')
    return str(wide)


def server_name(value: object) -> str:
    """A server's name as it stands. Raises ValueError; whether there is such a server is not known here."""
    if not isinstance(value, str):
        raise ValueError(f"must be a server's name, not {kind_of(value)}")
    if problem := names.slug_problem(value):
        raise ValueError(f"{quoted(value)} cannot be a server's name: {problem}")
    return value


def each(value: object, what: str, one: Callable[[object], str]) -> list[str]:
    """Every item checked by `one`, each kept once, in order. Raises ValueError for the first that is wrong."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be a list of {what}, not {kind_of(value)}")
    if len(value) > LIMIT:
        raise ValueError(f"has {len(value)} items; {LIMIT} are allowed")
    return list(dict.fromkeys(one(item) for item in value))


def joined(items: Iterable[object]) -> str:
    """A list as it stands in a text, and as `split` reads it again."""
    return ", ".join(map(str, items))
