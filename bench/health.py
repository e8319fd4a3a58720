"""`health`: what watching hundreds of devices costs by the minute, and what a year of them takes on the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.homelab import Homelab
from bench.report import Table, middle

DEVICES, TICKS = 300, 3  # TICKS are minutes
STORED = 100
YEAR = 1200  # seconds that making a year's rows may take


def health(homelab: Homelab) -> Iterator[Table]:
    yield watching(homelab.folder)
    yield from stored(homelab.folder)


def watching(folder: Path) -> Table:
    import asyncssh

    key = folder / "fleet_key"
    key.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key("openssh"))
    key.chmod(0o600)
    environment = _environment(folder / "fleet", FLEET_KEY=str(key))
    serving = [sys.executable, "-m", "bench.fleet", "serve"]
    with subprocess.Popen(serving, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            environment["FLEET_PLACE"] = server.stdout.readline()
            ticks = _json(["bench.fleet", "collect", str(DEVICES), str(TICKS)], environment, timeout=600)
        finally:
            server.terminate()
    table = Table(
        f"The collector and {DEVICES} fake devices (one SSH server on loopback, not counted): what a minute costs. In "
        "the first all connections are made. Writing is one transaction on SQLite.",
        ("Minute", "Answered", "Connections", "CPU seconds", "Writing, seconds", "MB (PSS, alone)"),
    )
    rows = {"first": ticks[:1], "any other, middle": ticks[1:]}
    for name, some in rows.items():
        table.add(name, *(min(tick[key] for tick in some) for key in ("answered", "connections")),
                  *(middle(tick[key] for tick in some) for key in ("cpu", "write", "pss")))  # fmt: skip
    return table


def stored(folder: Path) -> Iterator[Table]:
    year = _json(["bench.year", str(STORED)], _environment(folder / "year"), timeout=YEAR)
    size = Table(
        f"A year of {STORED} devices as the roll-up keeps it, on SQLite: minutes for 2 days, five for 30, hours.",
        ("Span", "Rows"),
    )
    for name, rows in year["rows"].items():
        size.add(name, rows)
    size.add("together", sum(year["rows"].values()))
    size.add("MB", round(year["mb"]))
    yield size
    work = Table("Seconds of work on that database.", ("Work", "Seconds"))
    for name, seconds in year["seconds"].items():
        work.add(name, float(seconds))
    yield work


def _environment(folder: Path, **more: str) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    own = {
        "FORGELAB_DATA_DIR": str(folder), "FORGELAB_RUNS_DIR": str(folder / "runs"), "FORGELAB_LOG_LEVEL": "WARNING",
        "DATABASE_URL": "", "CELERY_BROKER_URL": "", "DJANGO_SETTINGS_MODULE": "forgelab.settings",
    }  # fmt: skip
    return {**os.environ, **own, **more}


def _json(module: list[str], environment: dict[str, str], timeout: float) -> Any:
    command = [sys.executable, "-m", *module]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(module)} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])
