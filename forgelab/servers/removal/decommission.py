"""Decommissioning a server: on its device, or, where that is gone, only here."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.runs.conflicts import conflicting_run
from forgelab.runs.models import Run
from forgelab.servers.changes.change import change_for
from forgelab.servers.changes.checks import check_unused, lock_devices
from forgelab.servers.extensions import Confirmation
from forgelab.servers.models import Server
from forgelab.servers.spec.requests import RemovalRequest


def server_decommission(
    *, server: Server, confirm: str, actor: Actor, without_backup: str = "", purge: bool = False
) -> Run:
    """Stop and disable the server's services, remove ForgeLab's configuration, close its ports; then it is gone here.

    Packages and data stay on the device unless `purge`. Raises `ValidationError` naming `confirm` (which must be the
    server's name), `without_backup` (for a database without a verified backup of the last day), `device` or `name`.
    """
    check(actor, "server.decommission", server)
    check_confirmed(server, confirm)
    with transaction.atomic():
        change = change_for(RemovalRequest(server, purge))
        change.check_applicable(Confirmation(confirm, without_backup))
        return change.apply(actor, "server.decommission")


def server_forget(*, server: Server, confirm: str, actor: Actor) -> None:
    """Forget a server without touching its device, where everything goes on as it is: for a device that is gone.

    Its passwords are forgotten with it. Raises `ValidationError` naming `confirm` or `name`.
    """
    check(actor, "server.forget", server)
    check_confirmed(server, confirm)
    with transaction.atomic():
        lock_devices()
        check_forgettable(server)
        before = audit.state(server, "server_type", "device", "environment", "config")
        audit.record(actor=actor, action="server.forget", obj=server, before=before)
        Server.objects.filter(pk=server.pk).delete()


def check_forgettable(server: Server) -> None:
    """Raises `ValidationError` naming `name` while a run works on it, or another server uses it."""
    if run := conflicting_run(subject=server):
        raise ValidationError({"name": f'"{run.title}" is not done yet. Cancel that run first.'})
    check_unused(server)


def check_confirmed(server: Server, confirm: str) -> None:
    """Raises `ValidationError` naming `confirm` unless it is the server's name."""
    if confirm != server.name:
        raise ValidationError({"confirm": f"Type the server's name, {server.name}, to confirm."})


def server_decommissioned(run: Run) -> None:
    """A decommissioning has ended: the server is gone, or stands there half removed and says so."""
    server = run.subject
    if server is None:
        return
    if run.status == Run.Status.SUCCEEDED:
        server.delete()
    elif not run.is_queued_again:
        server.status = Server.Status.FAILED
        server.status_detail = (
            f"Decommissioning it did not come to its end: {run.status_detail or 'it was stopped.'} "
            "Decommission it again, or reprovision it to keep it."
        )
        server.save(update_fields=["status", "status_detail"])
