"""Taking a server down: on its device, or, where that is gone, only here."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from forgelab.accounts.actors import Actor
from forgelab.lib.problems import ConfigInvalid
from forgelab.runs.conflicts import conflicting_run
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan
from forgelab.runs.services import run_create
from forgelab.servers.kinds import DECOMMISSION
from forgelab.servers.models import Server
from forgelab.servers.provisioning import checks
from forgelab.servers.provisioning.plans import FACTS
from forgelab.servers.removal.cleanup import decommission_plan
from forgelab.servers.removal.safety import check_confirmed, check_databases
from forgelab.servers.spec.links import server_users


def server_decommission(
    *, server: Server, confirm: str, without_backup: str = "", purge: bool = False, actor: Actor
) -> Run:
    """Stop and disable the server's services, remove ForgeLab's configuration, close its ports; then it is gone here.

    Packages and data stay on the device unless `purge`. Raises `ValidationError` naming `confirm` (which must be the
    server's name), `without_backup` (for a database without a verified backup of the last day) or `name`.
    """
    check_confirmed(server, confirm)
    with transaction.atomic():
        checks.one_at_a_time()
        server = Server.objects.select_for_update(of=("self",)).select_related("device").get(pk=server.pk)
        checks.check_idle(server)
        _check_unused(server)
        request = {"name": server.name, "purge": purge}
        checks.check_neighbours_at_rest(server, DECOMMISSION, request)
        there = {*server.managed, *server.components.values_list("name", flat=True)}
        check_databases(server, there, confirm=confirm, without_backup=without_backup)
        server.status, server.status_detail = Server.Status.DECOMMISSIONING, ""
        server.save(update_fields=["status", "status_detail"])
        return run_create(
            plan=_plan(server, purge),
            kind=DECOMMISSION,
            device=server.device,
            subject=server,
            actor=actor,
            request=request,
        )


def _plan(server: Server, purge: bool) -> Plan:
    try:
        return decommission_plan(server, FACTS, purge=purge)
    except ConfigInvalid as invalid:
        raise ValidationError({"name": ". ".join(invalid.errors.values()) + "."}) from None


def server_forget(*, server: Server, confirm: str, actor: Actor) -> None:
    """Forget a server without touching its device, where everything goes on as it is: for a device that is gone.

    Its passwords are forgotten with it. Raises `ValidationError` naming `confirm` or `name`.
    """
    check_confirmed(server, confirm)
    with transaction.atomic():
        checks.one_at_a_time()
        if run := conflicting_run(subject=server):
            raise ValidationError({"name": f'"{run.title}" is not done yet. Cancel that run first.'})
        _check_unused(server)
        Server.objects.filter(pk=server.pk).delete()


def _check_unused(server: Server) -> None:
    users = [user.name for user in server_users(server)]
    if users:
        raise ValidationError(
            {"name": f"{', '.join(users)} use{'s' * (len(users) == 1)} {server.name}. Change or take down that first."}
        )


def server_decommissioned(run: Run) -> None:
    """A decommissioning has ended: the server is gone, or stands there half taken down and says so."""
    server = run.subject
    if server is None:
        return
    if run.status == Run.Status.SUCCEEDED:
        server.delete()
    elif not run.is_queued_again:
        server.status = Server.Status.FAILED
        server.status_detail = (
            f"Taking it down did not come to its end: {run.status_detail or 'it was stopped.'} "
            "Take it down again, or provision it again to have it back."
        )
        server.save(update_fields=["status", "status_detail"])
