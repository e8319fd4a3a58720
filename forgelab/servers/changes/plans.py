"""The plan of a change, with what only a server with its device shows to be wrong as a refusal."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from forgelab.lib.problems import ConfigInvalid
from forgelab.runs.plan import Plan
from forgelab.servers.models import Server
from forgelab.servers.plans.cleanup import decommission_plan
from forgelab.servers.plans.provision import FACTS, server_plan
from forgelab.servers.spec.requests import by_option
from forgelab.servers.spec.server_spec import ServerSpec


def checked_plan(spec: ServerSpec) -> Plan:
    """Raises `ValidationError` naming `config.<option>`, such as for an address that cannot be found."""
    try:
        return server_plan(spec)
    except ConfigInvalid as invalid:
        raise ValidationError(by_option(invalid)) from None


def checked_decommission_plan(server: Server, *, purge: bool) -> Plan:
    """Raises `ValidationError` naming `name` where it is not known what the others on the device need."""
    try:
        return decommission_plan(server, FACTS, purge=purge)
    except ConfigInvalid as invalid:
        raise ValidationError({"name": ". ".join(invalid.errors.values()) + "."}) from None
