"""`memory`: the proportional set size of the idle stack, process by process, and of a run at its peak.

PSS divides the pages that several processes share among them, so the parts may be summed (proc(5), smaps_rollup).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bench.homelab import Homelab, server_name
from bench.report import Table
from forgelab.cli.stack.kernel import descendants, memory_mb
from tests.e2e.config import BOOKWORM

SETTLE = 15  # seconds after the start, in which the sweeper has run once
EVERY = 0.2  # seconds between two looks at a run


def memory(homelab: Homelab) -> Iterator[Table]:
    yield idle(homelab)
    yield of_a_run(homelab)


def idle(homelab: Homelab) -> Table:
    table = Table("The stack of `forgelab up` at rest, in MB (PSS).", ("Process", "Processes", "MB"))
    stack = homelab.stack
    stack.stop()  # what earlier runs left in its memory would count
    stack.start()
    time.sleep(SETTLE)
    pids = {name: stack.child(name) for name in ("web", "runs", "tasks", "watch")}
    rows = {"forgelab (process manager)": [_parent(pids["web"])]}
    rows |= {name: [pid, *descendants(pid)] for name, pid in pids.items()}
    for name, group in rows.items():
        table.add(name, len(group), _sum(group))
    table.add("together", sum(map(len, rows.values())), round(sum(row[2] for row in table.rows), 1))  # type: ignore[misc]
    return table


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def _sum(pids: list[int]) -> float:
    return round(sum(memory_mb(pid) or 0.0 for pid in pids), 1)


def of_a_run(homelab: Homelab) -> Table:
    """What a run adds, at the moment when all its processes together take most."""
    device, _ = homelab.app_server
    worker = homelab.stack.child("runs")
    before = set(descendants(worker))
    run_id = homelab.stack.provision(server_name(device), homelab.known(device), BOOKWORM)
    peak: dict[str, tuple[int, float]] = {}
    looks = 0
    while not homelab.stack.run(run_id)["finished_at"]:
        now = _by_role([pid for pid in descendants(worker) if pid not in before])
        looks += 1
        if sum(mb for _, mb in now.values()) > sum(mb for _, mb in peak.values()):
            peak = now
        time.sleep(EVERY)
    table = Table(
        f"A run of the App Server at its peak, in MB (PSS; {looks} looks).",
        ("Process", "Processes", "MB"),
    )
    for name, (count, mb) in peak.items():
        table.add(name, count, round(mb, 1))
    table.add("together", sum(count for count, _ in peak.values()), round(sum(mb for _, mb in peak.values()), 1))
    return table


def _by_role(pids: list[int]) -> dict[str, tuple[int, float]]:
    found: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    for pid in pids:
        mb = memory_mb(pid)
        if mb:
            count, total = found[_name(pid)]
            found[_name(pid)] = (count + 1, total + mb)
    return dict(sorted(found.items()))


def _name(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        command = ""
    for sign, name in (
        ("forgelab.runs.runner", "runner"), ("ansible-playbook", "ansible-playbook and its forks"), ("ssh", "ssh"),
    ):  # fmt: skip
        if sign in command:
            return name
    return "other"
