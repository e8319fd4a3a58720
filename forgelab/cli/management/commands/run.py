"""`forgelab run`: what ForgeLab did and is doing."""

from __future__ import annotations

from forgelab.cli.base import VerbCommand
from forgelab.cli.run import cancel, list, show, watch


class Command(VerbCommand):
    help = "List, show, watch and cancel runs."
    verbs = (list, show, watch, cancel)
