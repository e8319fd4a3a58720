"""Whether the servers that somebody names in an option can be used, in sentences that say what to do."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from forgelab.lib.problems import listing
from forgelab.recipes.options import Option
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Server
from forgelab.servers.spec.links import by_name, fits
from forgelab.servers.spec.server_spec import ServerSpec


def check_links(spec: ServerSpec) -> None:
    """Raises `ValidationError` whose dictionary names `config.<option>` for a server that does not exist, is of another
    type, or is not ready to be connected to.
    """
    errors = {}
    for option, names in spec.named_servers():
        found = by_name(names)
        sentences = [_fault(spec.name, option, name, found.get(name)) for name in names]
        if any(sentences):
            errors[f"config.{option.name}"] = " ".join(filter(None, sentences))
    if errors:
        raise ValidationError(errors)


def _fault(name: str, option: Option, wanted: str, server: Server | None) -> str:
    """Why `wanted` cannot be named in this option, as a sentence; empty when it can."""
    fitting = [each for each in Server.objects.exclude(name=name).order_by("name") if fits(option, each)]
    there_are = f"There are {listing(each.name for each in fitting)}." if fitting else _first(option)
    if wanted == name:
        return f"{name} cannot name itself. {there_are}"
    if server is None:
        return f"There is no server {wanted}. {there_are}"
    if not fits(option, server):
        return f"{wanted} is a {server.server_type}; needed is a {' or '.join(option.server_types)}. {there_are}"
    if option.kind == "server" and server.server_type not in recipe_catalog().recipes:
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
    return f"{server.name} is not running ({server.get_status_display().lower()}). Reprovision it first: {command}"
