"""`forgelab watch`: the collector alone, where `forgelab up` does not run it."""

from __future__ import annotations

import argparse

from forgelab.cli.base import ForgeCommand
from forgelab.devices.metrics import collector


class Command(ForgeCommand):
    help = (
        "Ask every device once a minute what it measures, until stopped. `forgelab up` does that by itself; where "
        "several run, one of them asks and the others stand by."
    )

    def perform(self, chosen: argparse.Namespace) -> None:
        collector.watch()
