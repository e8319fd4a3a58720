"""Where domains above `runs` say what to do when a run of theirs has ended."""

from __future__ import annotations

from collections.abc import Callable

from forgelab.runs.models import Run

Finished = Callable[[Run], None]
_finished: dict[str, Finished] = {}


def on_finished(kind: str, callback: Finished) -> None:
    """Have `callback` called, inside the closing transaction, with every run of this `kind` that ended."""
    _finished[kind] = callback


def finished(run: Run) -> None:
    callback = _finished.get(run.kind)
    if callback:
        callback(run)
