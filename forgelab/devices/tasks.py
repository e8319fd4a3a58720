"""Celery tasks: thin, since all that matters is in the database."""

from django.db import close_old_connections

from forgelab.celery import app
from forgelab.devices.metrics import rollup


@app.task
def roll_up_metrics() -> None:
    """Roll the minutes up and count how often each device answered."""
    close_old_connections()
    rollup.roll_up()
