"""Before a run starts: nothing of an earlier one may still work on its device."""

from __future__ import annotations

import time

from forgelab.devices.models import Device
from forgelab.runs import orphans, waiting
from forgelab.runs.models import Run
from forgelab.runs.results import RunResult

ATTEMPTS = 3  # a device that does not answer once is not down: it may just have got its network back
PAUSE = 3  # seconds between them


def clean_up(run: Run) -> RunResult | None:
    """End what earlier runs may have left on the run's device; a `RunResult` if that is not certain."""
    unclean = Run.objects.filter(device=run.device, device_clean=False).exclude(pk=run.pk)
    ids = list(unclean.values_list("pk", flat=True))
    left: int | None = 0
    for attempt in range(ATTEMPTS if ids else 0):
        if attempt:
            time.sleep(PAUSE)
        if not waiting.may_continue(run):
            return waiting.stopped(run)
        left = orphans.left_on_device(run.device, ids)
        if left == 0:
            break
    if left == 0:
        Run.objects.filter(pk__in=ids).update(device_clean=True)
        return None
    return RunResult("failed", _still_there(run.device, left) if left else _out_of_reach(run), device_clean=True)


def _still_there(device: Device, left: int) -> str:
    processes = f"{left} process of an earlier run" if left == 1 else f"{left} processes of an earlier run"
    return (
        f"{processes} cannot be ended on {device.name} ({device.address}), most likely because a disk does not answer. "
        f"Nothing was started. Restart {device.name}, then try again."
    )


def _out_of_reach(run: Run) -> str:
    waiting.may_continue(run)
    return orphans.why_unreachable(run.device) or (
        f"{run.device.name} ({run.device.address}) cannot be reached, and an earlier run may still work there. "
        "Nothing was started. Check its power and network, then try again: "
        f"forgelab device refresh {run.device.name}"
    )
