"""The Celery application: `celery -A forgelab worker`."""

import os

from celery import Celery
from celery.signals import worker_init, worker_process_init
from kombu.transport import TRANSPORT_ALIASES

from forgelab.lib.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forgelab.settings")
TRANSPORT_ALIASES["filesystem"] = "forgelab.lib.folder_broker:Transport"

app = Celery("forgelab")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


_worker: list[int] = []


@worker_init.connect
def _remember_the_worker(**kwargs: object) -> None:
    _worker[:] = [os.getpid()]


@worker_process_init.connect
def _end_with_the_worker(**kwargs: object) -> None:
    """A pool process that outlives its killed worker would go on with a run that nobody watches."""
    if _worker and _worker[0] != os.getpid():  # with the solo pool it is this very process
        die_with_parent(_worker[0])
