"""Backups of a server's databases: made now, restored, listed. They lie on its device, which makes one every night."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.databases import backup_listing as listing
from forgelab.databases.backup_listing import Backup, LastBackup, Listing, read_backups
from forgelab.databases.models import BackupRecord
from forgelab.devices import ssh
from forgelab.runs.conflicts import conflicting_run
from forgelab.runs.kinds import RunKind
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan, PlannedRole
from forgelab.runs.services import run_create
from forgelab.servers.kinds import SERVER, SUBJECT
from forgelab.servers.models import Server

COPYING = frozenset({"server.backup", "server.restore"})
BACKUP = RunKind("server.backup", "Backup", SUBJECT, doing="backed up", result=SERVER, conflicts=COPYING)
RESTORE = RunKind("server.restore", "Restore", SUBJECT, doing="restored", result=SERVER, conflicts=COPYING)
COMPONENT = "backups"
LONGEST = 4 * 3600  # seconds that a backup or a restore may take
LIST = "command -v forgelab-backup >/dev/null || exit 0; exec forgelab-backup list --json"
ID = re.compile(r"\d{8}-\d{6}(-\d{1,4})?")
NAME = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
FACTS = PlannedRole(name="facts", title="Reading the device", always=True)


def has_backups(server: Server) -> bool:
    """Whether the server was provisioned with the component that makes backups."""
    return any(component.name == COMPONENT for component in server.components.all())


def backup_create(*, server: Server, databases: Sequence[str] = (), actor: Actor) -> Run:
    """Back up every database of the server's device now, or only those named.

    Raises `ValidationError` naming `server` or `databases`.
    """
    check(actor, "backup.create", server)
    if wrong := [name for name in databases if not NAME.fullmatch(name)]:
        raise ValidationError({"databases": f'"{wrong[0][:70]}" cannot be the name of a database.'})
    role = PlannedRole("backup_now", "Backing up the databases", {"backup_now_databases": list(databases)})
    return _run(server, BACKUP, f"Back up {server.name}", role, "backup.create", actor)


def backup_restore(
    *,
    server: Server,
    database: str,
    confirm: str,
    at: str = "",
    into: str = "",
    engine: str = "",
    actor: Actor,
) -> Run:
    """Restore a database from its newest backup, or the one with the id `at`, in its place or `into` a new one.

    What is there now is kept on the device under a dated name. `engine` (postgresql or mysql) decides where both have a
    database of that name. Raises `ValidationError` naming the field; `confirm` must be the server's name.
    """
    check(actor, "backup.restore", server)
    errors = _wrong(database=database, into=into, at=at, engine=engine)
    if confirm != server.name:
        errors["confirm"] = f"Type the server's name, {server.name}, to confirm."
    if errors:
        raise ValidationError(errors)
    given = {"database": database, "at": at, "into": into, "engine": engine}
    role = PlannedRole(
        "backup_restore",
        f"Restoring {database}" + (f" as {into}" if into else ""),
        {f"backup_restore_{name}": value for name, value in given.items()},
    )
    return _run(server, RESTORE, f"Restore {database} of {server.name}"[:200], role, "backup.restore", actor)


def _wrong(*, database: str, into: str, at: str, engine: str) -> dict[str, str]:
    errors = {}
    for field, name in (("database", database), ("into", into)):
        if not NAME.fullmatch(name) and (name or field == "database"):
            errors[field] = "Give the name of a database: 1 to 64 characters on one line."
    if at and not ID.fullmatch(at):
        errors["at"] = "This is not the id of a backup, such as 20260131-020003. Leave it out for the newest one."
    if engine not in ("", "postgresql", "mysql"):
        errors["engine"] = f'"{engine[:30]}" is not one of postgresql, mysql.'
    return errors


@transaction.atomic
def _run(server: Server, kind: RunKind, title: str, role: PlannedRole, action: str, actor: Actor) -> Run:
    Server.objects.select_for_update().get(pk=server.pk)  # two that ask at once get one run
    if not has_backups(server):
        raise ValidationError({"server": without_backups(server)})
    if server.status == Server.Status.DECOMMISSIONING:
        raise ValidationError({"server": f"{server.name} is being decommissioned."})
    if active := conflicting_run(kind, subject=server):
        raise ValidationError(
            {"server": f'"{active.title}" is at work already. Wait for it (forgelab run watch {str(active.pk)[:8]}).'}
        )
    audit.record(actor=actor, action=action, obj=server, after=role.variables)
    # A restore repeated after its worker died would put what was restored aside, with all that was written since.
    plan = Plan(
        slug=server.name, title=title, roles=(FACTS, role), repeatable=kind is BACKUP, timeout_seconds=LONGEST
    )  # fmt: skip
    return run_create(
        plan=plan, kind=kind, device=server.device, subject=server, actor=actor,
        request=dict(role.variables),
    )  # fmt: skip


def without_backups(server: Server) -> str:
    """What to do about a server that has none."""
    return (
        f"{server.name} was provisioned without backups. Reprovision it with them: forgelab server provision "
        f"{server.server_type} --name {server.name} --set include_backups=true"
    )


def backup_finished(run: Run) -> None:
    """A backup run has ended: take in what it made, also when another database's backup failed."""
    server = run.subject
    told = run.outcome.get("backups")
    if server is None or not isinstance(told, dict):
        return
    record = _record(server)
    made = read_backups(told.get("made"))
    complete = listing.read_complete(told.get("complete")) if run.status == Run.Status.SUCCEEDED else None
    record.listing = listing.read(record.listing).with_made(made, complete).to_json()
    record.save()


def backup_refresh(*, server: Server, actor: Actor) -> Listing:
    """Ask the device which backups it has, those of its timer included, and remember the answer.

    Raises `ssh.DeviceUnreachable`, and `ValidationError` when it answers something else.
    """
    check(actor, "backup.refresh", server)
    found = _asked(server)
    with transaction.atomic():
        _remember(server, found)
        audit.record(actor=actor, action="backup.refresh", obj=server, after={"backups": len(found.backups)})
    return found


def _asked(server: Server) -> Listing:
    try:
        printed = ssh.run_script(server.device, LIST, root=True)
        told = json.loads(printed) if printed.strip() else {}
    except (RuntimeError, ValueError) as error:
        raise ValidationError(f"{server.device.name} could not list its backups: {error}") from None
    return listing.read(told)


def _remember(server: Server, found: Listing) -> None:
    record = _record(server)
    record.listing, record.read_at = found.to_json(), timezone.now()
    record.save()


def _record(server: Server) -> BackupRecord:
    record, _ = BackupRecord.objects.select_for_update().get_or_create(server=server)
    return record


def backups_known(server: Server) -> tuple[Listing, Any]:
    """The backups as they were known last, and when the device was last asked (None: never)."""
    record = BackupRecord.objects.filter(server=server).first()
    return (listing.read(record.listing), record.read_at) if record else (Listing(), None)


def last_backup(server: Server) -> LastBackup | None:
    """The last time that every database of the server's device was saved and verified, as far as ForgeLab knows.

    It knows of its own runs at once, of the timer's when the device was asked: `backup_refresh` asks it.
    """
    return backups_known(server)[0].complete


def refresh_all() -> None:
    """Ask every device for its backups, so that `last_backup` knows of those that the timers made."""
    for server in Server.objects.filter(components__name=COMPONENT).select_related("device__identity"):
        try:
            found = _asked(server)
        except (ssh.DeviceUnreachable, ValidationError):
            continue  # a device may be off; what was known stays
        with transaction.atomic():
            _remember(server, found)


__all__ = [
    "Backup", "LastBackup", "Listing", "backup_create", "backup_finished", "backup_refresh", "backup_restore",
    "backups_known", "has_backups", "last_backup", "read_backups", "refresh_all", "without_backups",
]  # fmt: skip
