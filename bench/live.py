"""`events`: how many events a second are stored, and how long after a task's end the browser shows it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import httpx

from bench.homelab import Homelab, wait_until_calm
from bench.report import Table, percentile
from tests.support import services

EVENTS = 10_000
TASKS = 20
ROLE = "bench_tasks"
# Runs at once, seconds that each task works on its device, and what to call it.
SCENES = (
    (1, 0.0, "one run, tasks one after the other without a pause"),
    (10, 2.0, "ten runs, tasks that take 2 s on their device"),
    (10, 0.0, "ten runs without a pause: all CPUs are busy"),
)


def events(homelab: Homelab) -> Iterator[Table]:
    yield stored()
    yield shown(homelab)


def stored() -> Table:
    """Events per second through the real EventWriter."""
    table = Table(
        f"Events a second that the event writer stores ({EVENTS:,} events of 1 kB; the aim is 2,000 or more). Every "
        "run has its own process and writer.",
        ("Database", "Runs at once", "Events/s", "All stored"),
    )
    _fill(table, "SQLite", "")
    # As people run it, with its writes forced to the disk.
    with patch.object(services, "POSTGRES_OPTIONS", ("max_connections=60",)), services.postgres() as url:
        _fill(table, "PostgreSQL", url)
    return table


def _fill(table: Table, name: str, url: str) -> None:
    with tempfile.TemporaryDirectory(prefix="forgelab-bench-") as folder:
        for runs in (1, 10):
            command = [sys.executable, "-m", "bench.writer", str(runs), str(EVENTS)]
            environment = {**os.environ, "FORGELAB_DATA_DIR": folder, "DATABASE_URL": url}
            done = json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)
            table.add(name, runs, round(done["per_second"]), "yes" if done["stored"] == done["expected"] else "NO")


def shown(homelab: Homelab) -> Table:
    """Milliseconds from a task's end to the browser that follows its run."""
    homelab.django()
    table = Table(
        "Milliseconds from a task's end on the device (when Ansible makes the event) to a logged-in browser that "
        "follows the run by server-sent events; every run has one (the aim is 500 or less at the 95th percentile).",
        ("Scene", "Tasks", "p50", "p95", "Longest", "p95 until stored", "Tasks/s"),
    )
    devices = homelab.lab.up_many([f"bench-{n}" for n in range(10)], memory="1G", cpus=1)
    for device in devices:
        homelab.known(device)
    cookies = homelab.browser()
    for count, seconds, name in SCENES:
        wait_until_calm()
        _scene(table, name, _follow_all(homelab, [d.name for d in devices[:count]], seconds, cookies))
    for device in devices:
        device.remove()
    return table


def _scene(table: Table, name: str, arrivals: dict[Any, list[tuple[float, int]]]) -> None:
    from forgelab.runs.models import Event, Run

    until_shown, until_stored, ends = [], [], []
    for run_id, arrived in arrivals.items():
        run = Run.objects.get(pk=run_id)
        assert run.status == "succeeded", run.status_detail
        for event in Event.objects.filter(run_id=run_id, kind="runner_on_ok"):
            made = event.created_at.timestamp()
            until_shown.append(1000 * (next(at for at, last in arrived if last >= event.counter) - made))
            until_stored.append(1000 * (event.stored_at.timestamp() - made))
            ends.append(made)
    shown = [round(percentile(until_shown, percent)) for percent in (50, 95, 100)]
    rate = round(len(ends) / (max(ends) - min(ends)), 1)
    table.add(name, len(ends), *shown, round(percentile(until_stored, 95)), rate)


def _follow_all(homelab: Homelab, names: list[str], seconds: float, cookies: dict[str, str]) -> dict[Any, Any]:
    from forgelab.accounts.actors import SYSTEM
    from forgelab.devices.models import Device
    from forgelab.runs import kinds
    from forgelab.runs.services import run_create

    page = kinds.Page("device_list", "Show all devices", of_subject=False)
    kind = kinds.RunKind("bench", "Bench", "devices.Device", doing="measured", result=page)
    kinds.register(kind)
    runs = []
    for name in names:
        device = Device.objects.select_related("identity").get(name=name)
        runs.append(run_create(plan=_plan(name, seconds), kind=kind, device=device, subject=device, actor=SYSTEM).pk)
    return asyncio.run(watch_all(homelab.stack.url, runs, cookies))


def _plan(name: str, seconds: float) -> Any:
    from forgelab.runs.plan import Plan, PlannedRole

    work = {"ansible.builtin.command": f"sleep {seconds}", "changed_when": False}
    tasks = [{"name": f"Task {number}", **work} for number in range(TASKS)]
    return Plan(
        slug=name, title="Bench", roles=(PlannedRole(name=ROLE, title="Bench"),),
        generated_roles={ROLE: {"tasks/main.yml": json.dumps(tasks)}},
    )  # fmt: skip


async def watch_all(url: str, runs: list[Any], cookies: dict[str, str]) -> dict[Any, list[tuple[float, int]]]:
    """Follow the runs to their ends as browsers do: for each, (Unix time, the last counter that had arrived then)."""
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(base_url=url, cookies=cookies, trust_env=False, timeout=300, limits=limits) as client:
        arrived = await asyncio.gather(*(_watch(client, f"/runs/{run_id}/stream/") for run_id in runs))
    return dict(zip(runs, arrived, strict=True))


async def _watch(client: httpx.AsyncClient, path: str) -> list[tuple[float, int]]:
    arrived: list[tuple[float, int]] = []
    kind, last = "", 0
    async with client.stream("GET", path, headers={"Accept": "text/event-stream"}) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                last = int(value)
            elif name == "event":
                kind = value
            elif not line:
                arrived.append((time.time(), last))
                if kind == "end":
                    return arrived
    raise AssertionError(f"{path} ended before the run did")
