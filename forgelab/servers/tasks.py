"""Celery tasks: thin, since all that matters is in the database."""

from django.db import close_old_connections

from forgelab.celery import app
from forgelab.servers.changes import drift


@app.task
def check_drift() -> None:
    """Queue the drift checks that are due."""
    close_old_connections()
    drift.check_due()
