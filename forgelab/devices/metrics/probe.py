"""One probe of one device: what it measured, or why it did not answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from forgelab.devices.facts import Figures

LONGEST = 2000  # characters of a reason


class ProbeFailed(Exception):
    """The device did not answer as it should. The message is for the user.

    `refused`: it is there, but does not let us in, so asking again soon is of no use and may get us banned.
    """

    def __init__(self, detail: str, *, refused: bool = False, key_changed: bool = False) -> None:
        # Part of it may be what the device itself said, and no device may spoil what is stored of the others.
        super().__init__("".join(c if c.isprintable() else " " for c in detail)[:LONGEST])
        self.refused, self.key_changed = refused or key_changed, key_changed


@dataclass(frozen=True)
class Probe:
    """At `at` the device with the id `device` answered with its `figures`, or did not, for the reason `error`."""

    device: UUID
    at: datetime
    figures: Figures | None = None
    error: str = ""
    key_changed: bool = False
