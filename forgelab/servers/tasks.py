"""Celery tasks: thin, since all that matters is in the database."""

from django.db import close_old_connections

from forgelab.celery import app
from forgelab.servers import drift


@app.task
def check_drift() -> None:
    """Have the servers looked at whose daily look is due."""
    close_old_connections()
    drift.check_due()
