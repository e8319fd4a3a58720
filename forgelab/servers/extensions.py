"""What rooms above this one add to servers, without servers knowing of them.

A room registers a `ServerExtension` in its `AppConfig.ready`. Every change of a server passes each extension at the
same places, whether it is only planned or applied, so what was shown is what is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forgelab.runs.models import Run
from forgelab.runs.plan import PlannedRole
from forgelab.servers.models import Server
from forgelab.servers.spec.server_spec import ServerSpec


@dataclass(frozen=True)
class Confirmation:
    """What somebody typed to say that something may be lost: the server's name, and a sentence instead of a backup."""

    confirm: str = ""
    without_backup: str = ""


class ServerExtension:
    """The places where a room can take part. Each does nothing unless it is overridden."""

    def adjusted(self, spec: ServerSpec) -> ServerSpec:
        """The wanted server with what the room adds to its config or secrets. Doing it twice changes nothing more."""
        return spec

    def check(self, spec: ServerSpec) -> None:
        """Raises `ValidationError` by field where the server must not be changed to this."""

    def roles(self, spec: ServerSpec, roles: Sequence[PlannedRole]) -> list[PlannedRole]:
        """The component roles of the server's plan, with what the room adds."""
        return list(roles)

    def data_lost(self, config: Mapping[str, Any], gone: Iterable[str]) -> list[str]:
        """The roles whose data would be lost by running with this config once the roles `gone` were removed."""
        return []

    def check_loss(self, server: Server, lost: Sequence[str], confirmation: Confirmation) -> None:
        """Raises `ValidationError` naming `confirm` or `without_backup` unless these data, its own, may be lost."""

    def outage(self, server: Server, reason: str) -> str:
        """Why the server is out of service when a run of it has failed, else empty: then it runs as before."""
        return ""

    def ended(self, server: Server, run: Run) -> None:
        """A provisioning run has ended; `server` has its new status, and is saved afterwards."""


_extensions: list[ServerExtension] = []


def register(extension: ServerExtension) -> None:
    """Add the extension; a second one of the same class takes the place of the first."""
    _extensions[:] = [each for each in _extensions if type(each) is not type(extension)] + [extension]


def adjusted(spec: ServerSpec) -> ServerSpec:
    for extension in _extensions:
        spec = extension.adjusted(spec)
    return spec


def check(spec: ServerSpec) -> None:
    for extension in _extensions:
        extension.check(spec)


def roles(spec: ServerSpec, planned: Sequence[PlannedRole]) -> list[PlannedRole]:
    found = list(planned)
    for extension in _extensions:
        found = extension.roles(spec, found)
    return found


def data_lost(config: Mapping[str, Any], gone: Iterable[str]) -> list[str]:
    gone = list(gone)
    return [role for extension in _extensions for role in extension.data_lost(config, gone)]


def check_loss(server: Server, config: Mapping[str, Any], gone: Iterable[str], confirmation: Confirmation) -> None:
    gone = list(gone)
    for extension in _extensions:
        if lost := extension.data_lost(config, gone):
            extension.check_loss(server, lost, confirmation)


def outage(server: Server, reason: str) -> str:
    return next((sentence for each in _extensions if (sentence := each.outage(server, reason))), "")


def ended(server: Server, run: Run) -> None:
    for extension in _extensions:
        extension.ended(server, run)
