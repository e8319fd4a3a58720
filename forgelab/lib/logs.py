"""How log lines are written: without what lets somebody in."""

from __future__ import annotations

import logging
import re

JOIN_PATH = re.compile(r"(/join/)[A-Za-z0-9_~.%-]+")


class Formatter(logging.Formatter):
    """Leaves the tokens out of the paths by which machines join, from every logger and anywhere in the text."""

    def format(self, record: logging.LogRecord) -> str:
        return JOIN_PATH.sub(r"\1...", super().format(record))
