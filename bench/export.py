"""`export`: the same playbook by plain ansible-playbook and by ForgeLab, and how soon a click is felt."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import live
from bench.homelab import Homelab, server_name, wait_until_calm
from bench.report import Table, middle
from tests.e2e.config import BOOKWORM

PAIRS = 4
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


def export(homelab: Homelab) -> Iterator[Table]:
    device, _ = homelab.app_server
    folder = homelab.folder / "export"
    homelab.stack.cli("export", str(folder))
    homelab.django()
    cookies = homelab.browser()
    plain, ours, clicks = [], [], []
    for pair in range(PAIRS):
        for who in ("plain", "ForgeLab") if pair % 2 == 0 else ("ForgeLab", "plain"):
            wait_until_calm(patience=10)
            if who == "plain":
                plain.append(_by_ansible(folder, device.name))
            else:
                click = _click(homelab, device, cookies)
                ours.append(click.pop("the run has ended"))
                clicks.append(click)
    table = Table(
        f"The App Server with nothing to do, {PAIRS} pairs in turn: `ansible-playbook site.yml` on the exported "
        "project, and ForgeLab's own run of it from its claim to its end (the aim is a ratio of 1.05 or less).",
        ("Way", "Shortest", "Middle", "Ratio of the middles", "Ratio of the shortest"),
    )
    for name, seconds in (("ansible-playbook", plain), ("ForgeLab", ours)):
        table.add(name, min(seconds), middle(seconds), middle(seconds) / middle(plain), min(seconds) / min(plain))
    yield table
    table = Table(
        f"Seconds after the click (the request to provision is sent), the middle of {PAIRS} (the aim is 3 s or less "
        "until the first task is in the browser).",
        ("When", "Seconds", "Longest"),
    )
    for name in clicks[0]:
        table.add(name, middle(click[name] for click in clicks), max(click[name] for click in clicks))
    yield table


def _by_ansible(folder: Path, host: str) -> float:
    command = [str(ANSIBLE_PLAYBOOK), "-i", "inventories/homelab", "site.yml", "--limit", host]
    # A home of its own: no SSH connection of the run before is still open, as none is for ForgeLab's run.
    with tempfile.TemporaryDirectory(dir=folder) as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"}
        started = time.monotonic()
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        seconds = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"The exported project failed:\n{done.stdout[-2000:]}{done.stderr[-1000:]}")
    return seconds


def _click(homelab: Homelab, device: Any, cookies: dict[str, str]) -> dict[str, float]:
    from forgelab.runs.models import Event, Run

    clicked = time.time()
    run_id = homelab.stack.provision(server_name(device), homelab.known(device), BOOKWORM)
    answered = time.time()
    arrived = asyncio.run(live.watch_all(homelab.stack.url, [run_id], cookies))[run_id]
    run = Run.objects.get(pk=run_id)
    assert run.status == "succeeded", run.status_detail
    first = Event.objects.filter(run_id=run_id, kind="playbook_on_task_start").earliest("counter")
    return {
        "the request is answered": answered - clicked,
        "a worker has claimed the run": run.started_at.timestamp() - clicked,
        "Ansible begins the first task": first.created_at.timestamp() - clicked,
        "its event is stored": first.stored_at.timestamp() - clicked,
        "its event is in the browser": next(at for at, last in arrived if last >= first.counter) - clicked,
        "the run has ended": run.seconds,
    }
