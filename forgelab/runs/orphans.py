"""Ending what a run may have left running: here by the mark in its environment, on the device likewise."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from forgelab.devices import ssh
from forgelab.devices.models import Device
from forgelab.lib.processes import RUN_MARK

logger = logging.getLogger(__name__)

# Every module runs with FORGELAB_RUN set, and what it starts inherits it. Daemons do not: systemd starts them.
# One that waits for a slow disk dies only when the disk has answered, so the end is waited for.
END_ON_DEVICE = r"""
marked() { grep -lzE "^{mark}=({ids})$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }
state() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1; }
alive() { for p in $(marked); do case "$(state $p)" in ''|Z|X) ;; *) echo $p ;; esac; done; }
pids=$(alive); count=$(echo $pids | wc -w)
# What was just being started when the connection broke shows up a moment later.
[ -n "$pids" ] || { sleep 0.3; pids=$(alive); count=$(echo $pids | wc -w); }
[ -z "$pids" ] || kill -TERM $pids 2>/dev/null
for i in 1 2 3 4 5 6; do [ -z "$(alive)" ] && break; sleep 0.1; done
for i in $(seq 50); do pids=$(alive); [ -z "$pids" ] && break; kill -KILL $pids 2>/dev/null; sleep 0.1; done
echo "found=$count left=$(alive | wc -w)"
"""


def end_on_device(device: Device, run_ids: Iterable[object], timeout: float = 15) -> bool:
    """End every process of these runs on the device, within `timeout` seconds; True when surely none is left."""
    return left_on_device(device, run_ids, timeout) == 0


def left_on_device(device: Device, run_ids: Iterable[object], timeout: float = 15) -> int | None:
    """`end_on_device`: how many processes did not end; None where the device could not be asked."""
    ids = "|".join(str(run_id) for run_id in run_ids)
    script = END_ON_DEVICE.replace("{mark}", RUN_MARK).replace("{ids}", ids)
    try:
        answer = ssh.run_script(device, script, root=True, timeout=timeout, connect_timeout=5)
    except (ssh.DeviceUnreachable, RuntimeError) as error:
        logger.warning("processes of %s on %s could not be ended: %s", ids, device.name, error)
        return None
    logger.info("processes of %s on %s: %s", ids, device.name, answer.strip())
    left = re.search(r"\bleft=(\d+)$", answer.strip())
    return int(left[1]) if left else None


def why_unreachable(device: Device) -> str:
    """What a person must know when a run could not reach the device: another host key than the pinned one, there or on
    the way, or a jump host that fails. Empty when it is nothing of that kind."""
    try:
        ssh.run_script(device, ":")
    except ssh.DeviceUnreachable as error:
        return str(error) if device.jump_id or isinstance(error, ssh.HostKeyChanged) else ""
    except RuntimeError:
        pass
    return ""
