"""`forgelab recipes`: the server types there are, what they offer, and what is wrong with one of your own."""

from __future__ import annotations

from forgelab.cli.base import VerbCommand
from forgelab.cli.recipes import check, list, show


class Command(VerbCommand):
    help = "List the server types, show what one offers, and check recipes of your own."
    verbs = (list, show, check)
