"""Celery tasks: thin, since all that matters is in the database."""

from django.db import close_old_connections, connections

from forgelab.celery import app
from forgelab.runs import execution, sweeper


@app.task
def execute_run(run_id: str) -> None:
    """Perform one run. Of a run whose id comes twice, the second finds nothing to do.

    Its thread may wait for the next run for long: it keeps no connection meanwhile.
    """
    close_old_connections()
    try:
        execution.execute(run_id)
    finally:
        connections.close_all()


@app.task
def sweep() -> None:
    """Put right what was left behind."""
    close_old_connections()
    sweeper.sweep()
