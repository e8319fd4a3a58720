from __future__ import annotations


class LabError(Exception):
    """Something the lab was asked for did not happen; the message says what, on which device and what to do."""


class LabUnavailable(LabError):
    """The lab cannot run on this machine; the message names everything that is missing and how to get it."""
