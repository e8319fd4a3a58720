"""What a plan must know of the servers that its server's options name.

A recipe may ask for the name of a server (`type: server`) or of several (`type: servers`). What the named server
publishes is read again for every plan, so that reprovisioning takes a changed address, port or password. A server that
names another one with `type: server` means to use it: the other one's next run opens for it, as if it stood among its
`servers`.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from forgelab.lib.problems import ConfigInvalid, listing
from forgelab.recipes.context import standard_context
from forgelab.recipes.options import Option
from forgelab.recipes.resolve import Linked, publish
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.spec.server_spec import ServerSpec, outline, recorded

LOOPBACK = "127.0.0.1"


def server_links(spec: ServerSpec) -> dict[str, Linked]:
    """What is to be known, by option, of the servers that this one names, and of those that name it.

    Raises `ConfigInvalid` naming the option where a server is gone, or its device's address cannot be found.
    """
    for option, names in spec.named_servers():
        found = by_name(names)
        if missing := [name for name in names if name not in found]:
            raise ConfigInvalid({option.name: f"there is no server {listing(missing)} any more; name another one"})
    return colocated_links(spec)


def colocated_links(spec: ServerSpec) -> dict[str, Linked]:
    """The same for the plan of another server on the device: a server that is gone is passed over.

    Raises `ConfigInvalid` where the address of one that exists cannot be found.
    """
    links = known_links(spec)
    for option, names in spec.named_servers():
        if option.kind == "servers":
            found = by_name(names)
            users = [user for user in server_users(spec.name) if fits(option, user) and user.name not in found]
            links[option.name] = Linked({"addresses": _addresses(spec, [*found.values(), *users], option)})
    return links


def known_links(spec: ServerSpec) -> dict[str, Linked]:
    """How to connect to the servers that this one uses, as far as they still exist. Looks up no host name."""
    uses = [(option, by_name(names)) for option, names in spec.named_servers() if option.kind == "server"]
    return {option.name: _connection(spec, other) for option, found in uses for other in found.values()}


def server_users(name: str) -> list[Server]:
    """The servers that name this one as a server they use (`type: server`), by name."""
    recipes = recipe_catalog().recipes
    others = Server.objects.exclude(name=name).select_related("device").defer("secrets")
    return [other for other in others if (spec := outline(other, recipes)) and name in _used(spec)]


def _used(spec: ServerSpec) -> set[str]:
    return {name for option, names in spec.named_servers() if option.kind == "server" for name in names}


def by_name(names: Iterable[str]) -> dict[str, Server]:
    """The servers of these names that exist, in this order."""
    found = {server.name: server for server in Server.objects.filter(name__in=names).select_related("device")}
    return {name: found[name] for name in names if name in found}


def fits(option: Option, server: Server) -> bool:
    return not option.server_types or server.server_type in option.server_types


def _connection(spec: ServerSpec, other: Server) -> Linked:
    """The other server's address, as seen from this one's device, and what it publishes."""
    same_device = spec.device is not None and other.device_id == spec.device.pk
    published = _published(other)
    address = LOOPBACK if same_device else other.device.address
    return Linked({**published.values, "address": address, "type": other.server_type}, published.secrets)


def _published(other: Server) -> Linked:
    spec = recorded(other)
    if spec is None:
        return Linked({})
    secrets = {secret.name: spec.secrets.get(secret.name, "") for secret in spec.recipe.secrets}
    try:
        return publish(spec.recipe, spec.config, standard_context(other.name), secrets)
    except ConfigInvalid:  # its recipe allows less than it did; what holds then, only reprovisioning can show
        return Linked({})


def _addresses(spec: ServerSpec, others: Iterable[Server], option: Option) -> list[str]:
    """The networks of the servers' devices. One on the same device comes by loopback, which is open to it anyway."""
    own = spec.device.pk if spec.device else None
    devices = {other.device.name: other.device.address for other in others if other.device_id != own}
    found = {name: _networks(address) for name, address in devices.items()}
    if unknown := [f"{devices[name]} of {name}" for name, networks in found.items() if not networks]:
        sentence = f"the address {listing(unknown)} cannot be found, so it is not known what to open for it"
        raise ConfigInvalid({option.name: sentence})
    return sorted({network for networks in found.values() for network in networks})


def _networks(address: str) -> list[str]:
    """`10.78.0.12/32`; of a host name every address it has now. Empty for a name that does not resolve."""
    try:
        return [str(ipaddress.ip_network(address.partition("%")[0]))]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(ipaddress.ip_network(str(entry[4][0]).partition("%")[0])) for entry in found})
