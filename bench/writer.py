"""How many events a second the real EventWriter stores: `python -m bench.writer RUNS EVENTS`, as JSON.

Each run has a process of its own, as in ForgeLab. The database is the environment's, its tables are made first.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

ROLES = (
    "preflight",
    "packages",
    "nginx",
    "php",
    "postgresql",
    "redis",
    "nodejs",
    "supervisor",
    "scheduler",
    "versions",
)
TEXT = "ok: [device] => " + "Reading package lists... Building dependency tree... " * 4


def main(runs: int, events: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forgelab.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    ids = [_new_run(f"bench-{runs}-{number}") for number in range(runs)]
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    ready = fork.Barrier(runs + 1)
    done = [fork.Process(target=_write, args=(run_id, events // runs, ready)) for run_id in ids]
    for process in done:
        process.start()
    ready.wait()
    started = time.perf_counter()
    for process in done:
        process.join()
    seconds = time.perf_counter() - started
    from forgelab.runs.models import Event

    stored = Event.objects.filter(run_id__in=ids).count()
    print(json.dumps({"stored": stored, "expected": events // runs * runs, "per_second": stored / seconds}))


def _new_run(name: str) -> Any:
    from forgelab.devices.models import Device, Identity
    from forgelab.runs.models import Run, Step

    identity, _ = Identity.objects.get_or_create(name="bench", defaults={"private_key": "none"})
    device = Device.objects.create(name=name, address="192.0.2.1", identity=identity)
    run = Run.objects.create(kind="bench", title="Bench", device=device, plan={}, status=Run.Status.RUNNING)
    Step.objects.bulk_create(Step(run=run, position=n, role=role, title=role) for n, role in enumerate(ROLES, start=1))
    return run.pk


def _write(run_id: Any, events: int, ready: Any) -> None:
    from forgelab.runs.writer import EventWriter

    made = [_event(counter, events) for counter in range(1, events + 1)]
    writer = EventWriter(run_id)
    ready.wait()
    for event in made:
        writer.put(event)
    writer.finish(timeout=600)


def _event(counter: int, events: int) -> dict[str, Any]:
    """An event of about a kilobyte, as `forgelab.runs.events.slim` makes them: each task has a start and an end."""
    starts = counter % 2 == 1
    return {
        "counter": counter,
        "kind": "playbook_on_task_start" if starts else "runner_on_ok",
        "created": datetime.now(UTC).isoformat(),
        "pid": 1,
        "role": ROLES[counter * len(ROLES) // (events + 1)],
        "task": f"Task {counter}",
        "host": "" if starts else "device",
        "seconds": None if starts else 0.3,
        "ignored": False,
        "stdout": TEXT,
        "result": None if starts else {"changed": counter % 4 == 0, "rc": 0, "stdout": TEXT * 2, "cmd": ["true"]},
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
