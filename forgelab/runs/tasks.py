"""Celery tasks: thin, since all that matters is in the database."""

from django.db import close_old_connections

from forgelab.celery import app
from forgelab.runs import execution, sweeper


@app.task
def execute_run(run_id: str) -> None:
    """Perform one run; told twice of the same run, the second finds nothing to do."""
    close_old_connections()
    execution.execute(run_id)


@app.task
def sweep() -> None:
    """Put right what was left behind."""
    close_old_connections()
    sweeper.sweep()
