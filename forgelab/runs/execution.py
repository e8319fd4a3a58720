"""What a worker does with a run: claim it, render its project, have it performed, and close it."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseFailed
from django.db import connection

from forgelab.devices.access import host_of
from forgelab.runs import claims, orphans, queue
from forgelab.runs.cleanup import clean_up
from forgelab.runs.models import Run, Step
from forgelab.runs.plan import OutdatedPlan, Plan
from forgelab.runs.playbook import PlaybookProcess
from forgelab.runs.renderer import Deployment, render
from forgelab.runs.results import RunResult
from forgelab.runs.steps import StepTracker
from forgelab.runs.wake import wake
from forgelab.runs.workspace import UnsafeFolder, workspace

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT = 60  # seconds for which a database that does not answer is asked again to store the result
RETRY = 0.5  # seconds
OUTDATED = (
    "It was planned by an earlier version of ForgeLab, before this one was installed. Nothing was started. "
    "Ask for it again."
)


def execute(run_id: UUID | str) -> Run | None:
    """Claim and perform the run; None when it cannot be claimed. Whatever happens, it is closed when this returns."""
    run = claims.claim(run_id)
    if run is None:
        return None
    try:
        _execute(run)
    finally:
        _release(run)
    run.refresh_from_db()
    return run


def _execute(run: Run) -> None:
    tracker, learned = None, None
    try:
        result, tracker, learned = _perform(run)
    except UnsafeFolder as error:
        result = RunResult("failed", str(error))
    except OutdatedPlan:
        result = RunResult("failed", OUTDATED)
    except Exception as error:
        logger.exception("run %s broke", run.pk)
        clean = orphans.end_on_device(run.device, [run.pk])
        result = RunResult(
            "failed", f"ForgeLab itself failed ({type(error).__name__}); the worker's log says where.", clean
        )
    _close(run, result, tracker, learned)
    queue.enqueue_next(run.device_id)


def _release(run: Run) -> None:
    try:
        claims.release(run)
    except DatabaseFailed:  # the sweeper will end this worker, once it is idle
        logger.warning("run %s: that its worker is done with it is not stored", run.pk, exc_info=True)
        connection.close()


def _last_steps(tracker: StepTracker, result: RunResult) -> list[Step]:
    if result.status == Run.Status.SUCCEEDED:
        return tracker.complete()
    return tracker.abandon(result.detail, failed=result.status == Run.Status.FAILED)


def _close(run: Run, result: RunResult, tracker: StepTracker | None, learned: dict[str, Any] | None) -> None:
    """Write down how it ended. Tried for a while: a run whose result is not stored would be lost, and repeated."""
    deadline = time.monotonic() + CLOSE_TIMEOUT
    while True:
        try:
            tracker = tracker or StepTracker(run.steps.all())
            claims.end(run, result, steps=_last_steps(tracker, result), outcome=learned)
            return
        except DatabaseFailed:
            if time.monotonic() > deadline:
                raise
            logger.warning("run %s: its result is not stored, trying again", run.pk, exc_info=True)
            connection.close()
            time.sleep(RETRY)


def _perform(run: Run) -> tuple[RunResult, StepTracker, dict[str, Any]]:
    plan = Plan.from_json(run.plan)
    if held_up := wake(run) or clean_up(run):
        return held_up, StepTracker(run.steps.all()), {}
    password = secrets.token_urlsafe(32)
    host = host_of(run.device)
    files = render([Deployment(plan, host)], password)
    with workspace(str(run.pk), files) as folder:
        known = [password, *(each.private_key for each in host.way() if each.private_key), *secret_texts(plan)]
        process = PlaybookProcess(run, folder, plan.slug, known, check=plan.check)
        result = process.perform()
    learned = {**process.writer.summary.learned, "recap": process.writer.summary.stats}
    return result, process.writer.tracker, learned


def secret_texts(plan: Plan) -> list[str]:
    """Every text inside the plan's secret variables, and those that it hides."""
    return [*(text for role in plan.roles for text in _texts(role.secrets.values())), *plan.hidden]


def _texts(values: Iterable[Any]) -> list[str]:
    found: list[str] = []
    for value in values:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            found += _texts(value.values())
        elif isinstance(value, list | tuple):
            found += _texts(value)
    return found
