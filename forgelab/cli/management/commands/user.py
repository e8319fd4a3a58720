"""`forgelab user`: people who may log in."""

from __future__ import annotations

from forgelab.cli.base import VerbCommand
from forgelab.cli.user import create


class Command(VerbCommand):
    help = "Make users for the web pages."
    verbs = (create,)
