"""Fencing a primary that was replaced: its device gets a run that stops its writes, once it answers again."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from forgelab.accounts.actors import SCHEDULER
from forgelab.databases.engines import POSTGRESQL
from forgelab.devices import ssh
from forgelab.runs.conflicts import conflicting_run
from forgelab.runs.models import Run, Step
from forgelab.servers.kinds import PROVISION
from forgelab.servers.models import Server
from forgelab.servers.provisioning.services import server_provision

logger = logging.getLogger(__name__)

AGAIN = timedelta(minutes=10)
ANSWER, CONNECT = 10, 2  # seconds


def fence_due() -> list[Run]:
    """Queue a run for each old primary that is not fenced and whose device answers; returns the runs."""
    runs: list[Run] = []
    for server in Server.objects.exclude(replaced_by="").exclude(replaced_at=None).select_related("device"):
        if not _is_due(server) or not _answers(server):
            continue
        try:
            runs.append(
                server_provision(
                    server_type=server.server_type,
                    name=server.name,
                    device=server.device,
                    config=server.config,
                    actor=SCHEDULER,
                )
            )
        except ValidationError as error:
            logger.warning("%s, which was replaced, is not fenced: %s", server.name, "; ".join(error.messages))
    return runs


def _is_due(server: Server) -> bool:
    """Not while a run is at its device, nor once one got far enough to fence it, nor every minute."""
    if conflicting_run(device=server.device):
        return False
    # Only those since it was replaced: before, it may have been a standby of that very server.
    since = list(Run.objects.of(server).of_kind(PROVISION).filter(created_at__gte=server.replaced_at))
    if any(run.created_at > timezone.now() - AGAIN for run in since):
        return False
    done = (Step.Status.SUCCEEDED, Step.Status.FAILED)
    return not any(run.steps.filter(status__in=done, role=POSTGRESQL).exists() for run in since)


def _answers(server: Server) -> bool:
    """Whether its device lets ForgeLab in, by whatever way: a run that fails once a minute helps nobody."""
    try:
        ssh.run_script(server.device, ":", timeout=ANSWER, connect_timeout=CONNECT)
    except (ssh.DeviceUnreachable, RuntimeError):
        return False
    return True
