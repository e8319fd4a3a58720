"""What must be typed before a server's databases are lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from forgelab.databases.backups import last_backup
from forgelab.servers.extensions import Confirmation
from forgelab.servers.models import Server

FRESH = timedelta(hours=24)


def without_backup_sentence(server: Server) -> str:
    """What somebody types who wants to lose a database."""
    return f"remove {server.name} without a backup"


def check_loss(server: Server, databases: Sequence[str], confirmation: Confirmation) -> None:
    """Databases go only by their server's typed name, and with a backup of the last day or an explicit sentence.

    Raises `ValidationError` naming `confirm` or `without_backup`.
    """
    if confirmation.confirm != server.name:
        raise ValidationError(
            {
                "confirm": f"This removes {', '.join(databases)} from {server.name}. "
                f"Type the server's name to confirm (forgelab server change {server.name} ... --confirm {server.name})."
            }
        )
    if has_fresh_backup(server):
        return
    sentence = without_backup_sentence(server)
    if confirmation.without_backup != sentence:
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
