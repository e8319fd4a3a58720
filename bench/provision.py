"""`provision`: an App Server by ForgeLab against one hand-written shell script, on identical fresh devices."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench import by_hand, timeline
from bench.homelab import Homelab, wait_until_calm
from bench.report import Table, middle

PAIRS = 2


def provision(homelab: Homelab) -> Iterator[Table]:
    model, first = homelab.app_server  # it also fills the cache of packages
    script = by_hand.script(homelab, model, first["id"])
    seconds: dict[str, list[float]] = {"ForgeLab": [], "script": []}
    same = []
    runs = []
    for pair in range(PAIRS):
        for who in ("ForgeLab", "script") if pair % 2 == 0 else ("script", "ForgeLab"):
            device = homelab.fresh(f"{who.lower()}-{pair}")
            homelab.known(device)
            wait_until_calm()
            started = time.monotonic()
            if who == "ForgeLab":
                runs.append(homelab.provision(device))
            else:
                by_hand.run(device, script)
            seconds[who].append(time.monotonic() - started)
            if who == "script":
                same.append(by_hand.difference(model, device))
            device.kill()
    table = Table(
        "Seconds from the request to the end on fresh devices (Debian 12, 4 GB, 2 CPUs, packages from a warm cache), "
        f"{PAIRS} pairs in turn. The script installs the same packages in one apt transaction and writes the same "
        "files (the aim is a ratio of 1.10 or less). Where the two ways' results differ: "
        f"{'; '.join(sorted(set(same)))}.",
        ("Way", *(f"Pair {n + 1}" for n in range(PAIRS)), "Middle", "Ratio"),
    )
    by_script = middle(seconds["script"])
    for who, each in seconds.items():
        table.add(who, *each, middle(each), middle(each) / by_script)
    yield table
    run = min(runs, key=lambda run: run["seconds"])
    yield timeline.by_step(run)
    yield timeline.by_task(run, homelab.events(run["id"]), "Where ForgeLab's time goes, task by task.", least=0.3)
