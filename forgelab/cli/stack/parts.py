"""The parts of the stack. Each function is the whole life of one child process."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import socket
import sys
import threading
import traceback
import warnings
from typing import TYPE_CHECKING

from forgelab.cli.stack import kernel

if TYPE_CHECKING:
    from celery.beat import Service

GRACE = 10  # seconds that running tasks are given at the end
CLOCK_STOPS_WITHIN = 1  # seconds, at the cost of looking at the clock as often
# What the parts would each import for themselves, and so keep in memory once more.
SHARED = (
    "asyncssh",
    "celery.apps.worker",
    "celery.beat",
    "celery.concurrency.solo",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "forgelab.asgi",
    "forgelab.lib.folder_broker",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
)


def load() -> None:
    """Import everything the parts need, once, before they are forked. Opens no connection and starts no thread."""
    import django
    from celery.platforms import SecurityWarning
    from django.conf import settings
    from django.urls import get_resolver

    # Being root is common in a homelab, and needed by nothing here: the pages and workers are the user's choice.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    django.setup()
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        importlib.import_module(name)
    from forgelab.celery import app

    logging.getLogger("kombu.connection").setLevel(logging.ERROR)  # it warns that a folder has no host name
    app.loader.import_default_modules()
    app.finalize()
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()  # the collector would otherwise touch, and so copy, the pages that the children share


def web(listener: socket.socket) -> None:
    """Uvicorn on a socket that the process manager keeps open, so that a restart loses no connection."""
    import uvicorn

    from forgelab.asgi import application

    config = uvicorn.Config(
        application, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=2, proxy_headers=False
    )
    uvicorn.Server(config).run(sockets=[listener])


def runs() -> None:
    """The worker that carries out runs: Ansible in a process of its own, and a thread here that watches it."""
    from django.conf import settings

    kernel.share_heap_between_threads()
    _worker("runs", pool="threads", concurrency=settings.RUNS_AT_ONCE)


def tasks() -> None:
    """The worker for short tasks, such as sweeping up after runs, and in a thread of it the clock that starts them."""
    from celery.beat import Service
    from celery.signals import worker_shutdown

    from forgelab.celery import app

    for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)  # the sweeper's six lines a minute would hide all others
    clock = Service(app, max_interval=CLOCK_STOPS_WITHIN)
    worker_shutdown.connect(lambda **_: clock.stop(wait=True), weak=False)
    threading.Thread(target=_tick, args=[clock], daemon=True).start()
    _worker("default", pool="solo")


def watch() -> None:
    """The collector: asks every device once a minute."""
    from forgelab.devices.metrics import collector

    collector.watch()


def _tick(clock: Service) -> None:
    try:
        clock.start()
    except BaseException:
        # Without its clock the stack would look well and never sweep again: let the process manager restart both.
        traceback.print_exc()
        os._exit(1)


def _worker(queue: str, *, pool: str, concurrency: int = 1) -> None:
    """As `celery worker`, whose command line would bring 8 MB of terminal libraries into every part's memory."""
    from celery.concurrency import get_implementation
    from celery.utils.nodenames import default_nodename, host_format

    from forgelab.celery import app

    worker = app.Worker(
        hostname=host_format(default_nodename(f"{queue}@%h")),
        queues=queue,
        pool_cls=get_implementation(pool),
        concurrency=concurrency,
        loglevel="INFO",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    sys.exit(worker.exitcode)
