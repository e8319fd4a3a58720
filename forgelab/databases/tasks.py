"""Celery tasks: thin, since all that matters is in the database."""

from django.db import close_old_connections

from forgelab.celery import app
from forgelab.databases import backups, fencing


@app.task
def fence() -> None:
    """Have primaries that were replaced take no writes, as soon as their devices answer."""
    close_old_connections()
    fencing.fence_due()


@app.task
def refresh_backups() -> None:
    """Ask the devices for the backups that their timers made."""
    close_old_connections()
    backups.refresh_all()
