"""`forgelab token`: keys to the API."""

from __future__ import annotations

from forgelab.cli.base import VerbCommand
from forgelab.cli.token import create


class Command(VerbCommand):
    help = "Make tokens for the API."
    verbs = (create,)
