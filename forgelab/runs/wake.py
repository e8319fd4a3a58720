"""Before a run on a device that sleeps: wake it, and go on being alive meanwhile."""

from __future__ import annotations

from forgelab.devices import ssh, waking
from forgelab.runs import waiting
from forgelab.runs.models import Run
from forgelab.runs.results import RunResult


def wake(run: Run) -> RunResult | None:
    """Wake the run's device, if it is one that sleeps; a `RunResult` when it does not answer, before any start."""
    if not run.device.sleeps:
        return None
    try:
        waking.awaken(run.device, go_on=lambda: waiting.may_continue(run))
    except waking.StillAsleep as error:
        return RunResult("failed", f"{error} Nothing was started.", device_clean=True)
    except ssh.HostKeyChanged as error:
        return RunResult("failed", str(error), device_clean=True)
    except waking.GivenUp:
        return waiting.stopped(run)
    return None
