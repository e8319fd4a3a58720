"""What must be said and done before something of a server goes for good."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from forgelab.servers.backups import last_backup
from forgelab.servers.models import Server
from forgelab.servers.removal.cleanup import DATABASES

FRESH = timedelta(hours=24)


def without_backup_sentence(server: Server) -> str:
    """What somebody types who wants to lose a database."""
    return f"remove {server.name} without a backup"


def check_confirmed(server: Server, confirm: str) -> None:
    """Raises `ValidationError` naming `confirm` unless it is the server's name."""
    if confirm != server.name:
        raise ValidationError({"confirm": f"Type the server's name, {server.name}, to confirm."})


def check_databases(server: Server, gone: Iterable[str], *, confirm: str, without_backup: str) -> None:
    """A database goes only by its server's typed name, and with a backup of the last day or an explicit word.

    Raises `ValidationError` naming `confirm` or `without_backup`.
    """
    databases = [name for name in gone if name in DATABASES]
    if not databases:
        return
    if confirm != server.name:
        raise ValidationError(
            {
                "confirm": f"This takes {', '.join(databases)} away from {server.name}. "
                f"Type the server's name to confirm (forgelab server change {server.name} ... --confirm {server.name})."
            }
        )
    if has_fresh_backup(server):
        return
    sentence = without_backup_sentence(server)
    if without_backup != sentence:
        raise ValidationError(
            {
                "without_backup": f"{server.name} has a database and no verified backup of the last 24 hours. "
                f'Make one first (forgelab server backup {server.name}), or type "{sentence}" (--without-backup).'
            }
        )


def has_fresh_backup(server: Server) -> bool:
    """Whether a verified backup of the last day can be relied on."""
    backup = last_backup(server)
    return backup is not None and backup.finished_at > timezone.now() - FRESH
