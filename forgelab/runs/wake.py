"""Before a run on a device that sleeps: wake it, and go on being alive meanwhile."""

from __future__ import annotations

from forgelab.devices import ssh, waking
from forgelab.runs import waiting
from forgelab.runs.models import Run
from forgelab.runs.outcome import Ending


def wake(run: Run) -> Ending | None:
    """Have the run's device answer, if it is one that sleeps; an `Ending` when it does not, and nothing was started."""
    if not run.device.sleeps:
        return None
    try:
        waking.awaken(run.device, go_on=lambda: waiting.go_on(run))
    except waking.StillAsleep as error:
        return Ending("failed", f"{error} Nothing was started.", device_clean=True)
    except ssh.HostKeyChanged as error:
        return Ending("failed", str(error), device_clean=True)
    except waking.GivenUp:
        return waiting.given_up(run)
    return None
