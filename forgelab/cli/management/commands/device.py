"""`forgelab device`: the machines of the homelab."""

from __future__ import annotations

from forgelab.cli.base import VerbCommand
from forgelab.cli.device import add, join, list, refresh, remove, show, trust, update


class Command(VerbCommand):
    help = "Add, join, list, show, update, refresh, trust and remove devices."
    verbs = (add, join, list, show, update, refresh, trust, remove)
