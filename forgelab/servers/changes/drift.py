"""Whether devices are still as their servers' plans say: checked once a day, and recorded after every check."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from zlib import crc32

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from forgelab.accounts import audit
from forgelab.accounts.actors import SCHEDULER, Actor
from forgelab.accounts.policy import check
from forgelab.runs.changes import count
from forgelab.runs.conflicts import conflicting_run
from forgelab.runs.models import Run
from forgelab.runs.selectors import run_changes
from forgelab.servers.changes.dry_run import changed_options, plan_queued
from forgelab.servers.kinds import PLAN
from forgelab.servers.models import Server

logger = logging.getLogger(__name__)

SPREAD = 60  # minutes over which the servers' checks are spread, so that they do not come all at once
AT_ONCE = 2  # checks that are queued in one go: after a day off ForgeLab does not do all of them together


def plan_ended(run: Run) -> None:
    """A plan has ended. One of the server's own config says how far its device is from it."""
    server = run.subject
    if server is None or run.status != Run.Status.SUCCEEDED or run.request.get("base") != server.config:
        return
    if changed_options(server.config, run.request["config"]):
        return
    if server.provisioned_at is None or server.provisioned_at > run.created_at:
        return
    found, now = count(run_changes(run=run)), timezone.now()
    server.drift_since = (server.drift_since or now) if found else None
    server.drift_count, server.drift_checked_at, server.drift_run = found, now, run
    server.save(update_fields=["drift_count", "drift_checked_at", "drift_since", "drift_run"])


def server_drift_check(*, server: Server, actor: Actor) -> Run:
    """Compare the server's device with its plan now. Raises `ValidationError` as `server_plan` does."""
    return plan_queued(server, {}, actor, "server.drift_check")


def server_daily_check(*, server: Server, enabled: bool, actor: Actor) -> Server:
    """Check its drift every day from now on, or only when somebody asks."""
    check(actor, "server.daily_check", server)
    before = audit.state(server, "drift_watch")
    server.drift_watch = enabled
    with transaction.atomic():
        server.save(update_fields=["drift_watch"])
        after = audit.state(server, "drift_watch")
        audit.record(actor=actor, action="server.daily_check", obj=server, before=before, after=after)
    return server


def check_due(now: datetime | None = None) -> list[Run]:
    """Queue the checks that are due; returns their runs. A device with a run to do is left for the next time."""
    now = now or timezone.now()
    runs: list[Run] = []
    if settings.DRIFT_HOUR is None:
        return runs
    watched = Server.objects.filter(status=Server.Status.ACTIVE, drift_watch=True).select_related("device")
    for server in watched:
        if len(runs) == AT_ONCE:
            break
        if _is_due(server, now) and not conflicting_run(device=server.device):
            try:
                runs.append(server_drift_check(server=server, actor=SCHEDULER))
            except ValidationError as error:
                logger.warning("The drift of %s is not checked: %s", server.name, "; ".join(error.messages))
    return runs


def due_at(server: Server, now: datetime) -> datetime:
    """The latest moment, not after `now`, at which this server's check was due."""
    minute = crc32(server.pk.bytes) % SPREAD
    local = timezone.localtime(now)
    due = local.replace(hour=settings.DRIFT_HOUR, minute=minute, second=0, microsecond=0)
    return due if due <= local else due - timedelta(days=1)


def _is_due(server: Server, now: datetime) -> bool:
    due = due_at(server, now)
    if server.provisioned_at is None or server.provisioned_at >= due:
        return False
    return not Run.objects.of(server).of_kind(PLAN).filter(created_at__gte=due).exists()
