"""What must hold before a server is changed. Refusals are sentences by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from forgelab.devices.models import Device
from forgelab.devices.placement import gb
from forgelab.runs.conflicts import conflicting_run
from forgelab.runs.kinds import RunKind
from forgelab.servers.colocation.obstacles import obstacle
from forgelab.servers.kinds import PROVISION
from forgelab.servers.models import Server
from forgelab.servers.placement import ranking
from forgelab.servers.spec.links import server_users
from forgelab.servers.spec.requests import ServerRequest
from forgelab.servers.spec.server_spec import ServerSpec


def lock_devices() -> None:
    """Two that ask at once must not both find the same name free, or the same device."""
    list(Device.objects.select_for_update().order_by("pk").values_list("pk", flat=True))


def check_same(server: Server, request: ServerRequest) -> None:
    """Reprovisioning must not turn a server into another one, nor forget where it is.

    Raises `ValidationError` naming `name` or `device`.
    """
    errors = {}
    if server.server_type != request.server_type:
        errors["name"] = f"{server.name} exists already, of type {server.server_type}. Choose another name."
    if request.device and server.device_id != request.device.pk:
        errors["device"] = (
            f"{server.name} is on {server.device.name}. Reprovision it there, or choose another name for a new server "
            f"on {request.device.name}."
        )
    if errors:
        raise ValidationError(errors)


def check_idle(server: Server) -> None:
    """Raises `ValidationError` naming `name` while a run changes the server."""
    if active := conflicting_run(PROVISION, subject=server):
        doing = active.get_kind().doing
        raise ValidationError({"name": f"{server.name} is being {doing} right now. Wait for it, or cancel that run."})


def check_unused(server: Server) -> None:
    """Raises `ValidationError` naming `name` while another server names this one as one that it uses."""
    if users := [user.name for user in server_users(server.name)]:
        use = "uses" if len(users) == 1 else "use"
        sentence = f"{', '.join(users)} {use} {server.name}. Change or decommission that first."
        raise ValidationError({"name": sentence})


def check_obstacle(server: Server, spec: ServerSpec) -> None:
    """The new config may want what another server on the device has otherwise.

    Raises `ValidationError` naming `device`.
    """
    if sentence := obstacle(server.device.servers.all(), spec):
        raise ValidationError({"device": f"{server.device.name} is not suitable: {sentence}."})


def check_reserved(server: Server, spec: ServerSpec) -> None:
    """Raises `ValidationError` naming `device` where that has not what this config needs more than is reserved."""
    free = ranking.candidate(server.device)
    left = {"memory_mb": ("RAM", free.memory_free_mb), "storage_mb": ("storage", free.disk_left_mb)}
    for field, (what, free_mb) in left.items():
        more = spec.reserved[field] - getattr(server, field)
        if more > free_mb and getattr(server, field):
            raise ValidationError(
                {
                    "device": f"{server.device.name} has {gb(free_mb)} {what} left, and with these options "
                    f"{server.name} needs {gb(more)} more than it has now."
                }
            )


def check_colocated_idle(server: Server, kind: RunKind, request: Mapping[str, Any]) -> None:
    """What is removed must not be what a run that has not ended is setting up for another server on the device.

    Raises `ValidationError` naming `device`.
    """
    if run := conflicting_run(kind, subject=server, device=server.device, request=request):
        raise ValidationError(
            {
                "device": f'"{run.title}" is not done yet on {server.device.name}, and one of the two removes what the '
                "other may need. Wait for it, or cancel that run."
            }
        )
