"""`python -m bench [PART ...]`: perform the parts (all unless named) and write docs/bench.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial

from bench import again, cancel, export, health, live, memory, provision, ranking, report
from bench.homelab import Homelab

PARTS: dict[str, tuple[str, Callable[[Homelab], Iterator[report.Table]]]] = {
    "provision": ("Provisioning a fresh device", provision.provision),
    "again": ("Provisioning again", again.again),
    "cancel": ("Cancelling", cancel.cancel),
    "export": ("The exported project, and the first event", export.export),
    "events": ("Events: stored and shown", live.events),
    "health": ("Watching devices", health.health),
    "memory": ("Memory", memory.memory),
    "ranking": ("Placement", ranking.ranking),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"one or more of {', '.join(PARTS)}")
    chosen = parser.parse_args().part or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    try:
        with Homelab() as homelab:
            for name in chosen:
                title, make = PARTS[name]
                report.measure(name, title, partial(make, homelab))
    except KeyboardInterrupt:
        print("\nStopped. The devices and processes of the bench are gone.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
