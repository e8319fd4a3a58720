"""Servers that name other servers in an option: who they are, and what a plan must know of them.

A recipe may ask for the name of a server (`type: server`) or of several (`type: servers`). What the named server tells
of itself is its recipe's `publishes`, read anew for every plan, so that provisioning again takes a changed address,
port or password. A server that names another one with `type: server` means to use it: the other one's next run opens
for it, as if it stood among its `servers`.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from forgelab.lib.problems import ConfigInvalid, listing
from forgelab.recipes.context import standard_context
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import Option, hidden
from forgelab.recipes.resolve import Linked, publish
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server

LOOPBACK = "127.0.0.1"
Recipes = Mapping[str, Recipe]


def check_links(*, name: str, recipe: Recipe, config: Mapping[str, Any]) -> None:
    """Whether the servers that this config names can be used by the server `name`.

    Raises `ValidationError` whose dictionary names `config.<option>` for one that does not exist, is of another type,
    is not ready to be connected to, or whose device's address cannot be found.
    """
    errors, recipes = {}, recipe_catalog().recipes
    for option, named in named_servers(recipe, config):
        found = _by_name(named)
        sentences = [_fault(name, option, each, found.get(each), recipes) for each in named]
        if any(sentences):
            errors[f"config.{option.name}"] = " ".join(filter(None, sentences))
    if errors:
        raise ValidationError(errors)


def server_links(server: Server, recipe: Recipe) -> dict[str, Linked]:
    """What is to be known, by option, of the servers that this one names, and of those that name it.

    Raises `ConfigInvalid` naming the option where a server is gone, or its device's address cannot be found.
    """
    for option, named in named_servers(recipe, server.config):
        found = _by_name(named)
        if missing := [each for each in named if each not in found]:
            raise ConfigInvalid({option.name: f"there is no server {listing(missing)} any more; name another one"})
    return neighbour_links(server, recipe)


def neighbour_links(server: Server, recipe: Recipe) -> dict[str, Linked]:
    """The same for the plan of another server on the device: a server that is gone is passed over.

    Raises `ConfigInvalid` where the address of one that is there cannot be found.
    """
    links = known_links(server, recipe)
    for option, named in named_servers(recipe, server.config):
        if option.kind == "servers":
            found = _by_name(named)
            users = [user for user in server_users(server) if _fits(option, user) and user.name not in found]
            links[option.name] = Linked({"addresses": _addresses(server, [*found.values(), *users], option)})
    return links


def known_links(server: Server, recipe: Recipe) -> dict[str, Linked]:
    """How to connect to the servers that this one uses, as far as they still are there. Looks up no host name."""
    recipes = recipe_catalog().recipes
    uses = [
        (option, _by_name(named)) for option, named in named_servers(recipe, server.config) if option.kind == "server"
    ]
    return {
        option.name: _connection(server, other, recipes.get(other.server_type))
        for option, found in uses
        for other in found.values()
    }


def server_users(server: Server) -> list[Server]:
    """The servers that name this one as a server they use (`type: server`), by name."""
    recipes = recipe_catalog().recipes
    return [
        other
        for other in Server.objects.exclude(pk=server.pk).select_related("device").defer("secrets")
        if (recipe := recipes.get(other.server_type))
        and any(
            option.kind == "server" and server.name in named for option, named in named_servers(recipe, other.config)
        )
    ]


def named_servers(recipe: Recipe, config: Mapping[str, Any]) -> list[tuple[Option, list[str]]]:
    """Every option that names servers and applies, with the names; a `server` option without a name is left out."""
    out_of_sight = {option.name for option in hidden(recipe.options, {**_initial(recipe), **config})}
    chosen = [(o, config.get(o.name) or []) for o in recipe.options if o.name not in out_of_sight]
    lists = [(o, [value] if isinstance(value, str) else list(value)) for o, value in chosen if o.kind in _KINDS]
    return [(option, names) for option, names in lists if names or option.kind == "servers"]


_KINDS = ("server", "servers")


def _initial(recipe: Recipe) -> dict[str, Any]:
    return {option.name: option.initial for option in recipe.options}


def _by_name(names: Iterable[str]) -> dict[str, Server]:
    found = {server.name: server for server in Server.objects.filter(name__in=names).select_related("device")}
    return {name: found[name] for name in names if name in found}


def _fits(option: Option, server: Server) -> bool:
    return not option.server_types or server.server_type in option.server_types


def _fault(name: str, option: Option, wanted: str, server: Server | None, recipes: Recipes) -> str:
    """Why `wanted` cannot be named in this option, as a sentence; empty when it can."""
    fitting = [each for each in Server.objects.exclude(name=name).order_by("name") if _fits(option, each)]
    there_are = f"There are {listing(each.name for each in fitting)}." if fitting else _first(option)
    if wanted == name:
        return f"{name} cannot name itself. {there_are}"
    if server is None:
        return f"There is no server {wanted}. {there_are}"
    if not _fits(option, server):
        return f"{wanted} is a {server.server_type}; needed is a {' or '.join(option.server_types)}. {there_are}"
    if option.kind == "server" and server.server_type not in recipes:
        return f"The recipe {server.server_type} of {wanted} is gone or broken, so how to connect to it is not known."
    if option.kind == "server" and server.status != Server.Status.ACTIVE:
        return _not_active(server)
    return ""


def _first(option: Option) -> str:
    kinds = " or ".join(option.server_types) or "TYPE"
    return f"Provision one first: forgelab server provision {kinds} --name NAME"


def _not_active(server: Server) -> str:
    if server.replaced_by:
        return f"{server.replaced_by} took over from {server.name}. Name {server.replaced_by} instead."
    if server.status == Server.Status.PROVISIONING:
        return f"{server.name} is being provisioned. Wait until it is ready."
    command = f"forgelab server provision {server.server_type} --name {server.name}"
    return f"{server.name} is not running ({server.get_status_display().lower()}). Provision it again first: {command}"


def _connection(server: Server, other: Server, recipe: Recipe | None) -> Linked:
    """The other server's address, as seen from this one's device, and what it publishes."""
    address = LOOPBACK if other.device_id == server.device_id else other.device.address
    told = _published(other, recipe) if recipe else Linked({})
    return Linked({**told.values, "address": address, "type": other.server_type}, told.secrets)


def _published(other: Server, recipe: Recipe) -> Linked:
    known = {option.name for option in recipe.options}
    config = {name: value for name, value in other.config.items() if name in known}
    secrets = {secret.name: (other.secrets or {}).get(secret.name, "") for secret in recipe.secrets}
    try:
        return publish(recipe, config, standard_context(other.name), secrets)
    except ConfigInvalid:  # its recipe allows less than it did; what it is, only provisioning it again can tell
        return Linked({})


def _addresses(server: Server, others: Iterable[Server], option: Option) -> list[str]:
    """The networks of the servers' devices. One on the same device comes by loopback, which is open to it anyway."""
    devices = {other.device.name: other.device.address for other in others if other.device_id != server.device_id}
    found = {name: _networks(address) for name, address in devices.items()}
    if unknown := [f"{devices[name]} of {name}" for name, networks in found.items() if not networks]:
        sentence = f"the address {listing(unknown)} cannot be found, so it is not known what to open for it"
        raise ConfigInvalid({option.name: sentence})
    return sorted({network for networks in found.values() for network in networks})


def _networks(address: str) -> list[str]:
    """`10.78.0.12/32`; of a host name every address it has now. Empty for a name that nobody knows."""
    try:
        return [str(ipaddress.ip_network(address.partition("%")[0]))]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(ipaddress.ip_network(str(entry[4][0]).partition("%")[0])) for entry in found})
