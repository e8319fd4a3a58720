"""Following a run to its end, live in a terminal or line by line in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from uuid import UUID

from django.core.exceptions import ValidationError
from rich.live import Live

from forgelab.accounts.actors import from_shell
from forgelab.cli import drawing
from forgelab.cli.base import Failure, console
from forgelab.cli.drawing import Snapshot
from forgelab.cli.lookup import short
from forgelab.cli.stack.state import Stack, data_dir
from forgelab.runs import selectors, services
from forgelab.runs.models import Run

INTERVAL = 0.25  # seconds between two looks
CANCELLED_WITHIN = 60  # seconds after which a run that was asked to stop is no longer waited for
PING_TIMEOUT = 2  # seconds

See = Callable[[Snapshot], None]


class NobodyWorks(Failure):
    """No worker is there to carry out the run."""

    def __init__(self, run_id: object) -> None:
        super().__init__(
            f"The run {short(run_id)} is queued, but no worker is running to carry it out. Start ForgeLab with "
            f"`forgelab up`, then follow the run with `forgelab run watch {short(run_id)}`."
        )


def follow(run_id: UUID | str, *, cancel_on_interrupt: bool, silent: bool = False) -> Snapshot:
    """Show a run (not when `silent`) until it ends and return its last snapshot; a lost run is followed to its retry.

    Ctrl-C asks the run to stop where `cancel_on_interrupt`, and then waits for it; else it only stops showing.
    Raises `NobodyWorks` when the run is queued and no worker is there, KeyboardInterrupt at a second Ctrl-C.
    """
    shown = _silent if silent else _live if sys.stdout.isatty() else _plain
    while True:
        snapshot = shown(str(run_id), cancel_on_interrupt)
        if not snapshot["retry"]:
            return snapshot
        print(f"The worker of this run was lost; it is repeated as run {short(snapshot['retry'])}.", file=sys.stderr)
        run_id = snapshot["retry"]


def _live(run_id: str, cancel: bool) -> Snapshot:
    picture = drawing.Picture()
    screen = console()
    screen.soft_wrap = False
    with Live(console=screen, refresh_per_second=8, transient=False) as live:
        return _watch(run_id, lambda snapshot: live.update(picture.of(snapshot)), cancel)


def _plain(run_id: str, cancel: bool) -> Snapshot:
    known: set[int] = set()

    def see(snapshot: Snapshot) -> None:
        for step in drawing.newly_finished(snapshot, known):
            print(drawing.plain_line(step), flush=True)

    return _watch(run_id, see, cancel)


def _silent(run_id: str, cancel: bool) -> Snapshot:
    return _watch(run_id, lambda snapshot: None, cancel)


def _watch(run_id: str, see: See, cancel: bool) -> Snapshot:
    try:
        return _until_finished(run_id, see)
    except KeyboardInterrupt:
        if not cancel:
            raise
    return _cancel(run_id, see)


def _cancel(run_id: str, see: See) -> Snapshot:
    try:
        services.run_cancel(run=Run.objects.get(pk=run_id), actor=from_shell())
    except ValidationError:
        pass  # it ended by itself in the meantime
    else:
        print(f"\nThe run {short(run_id)} is asked to stop (Ctrl-C again: do not wait for it).", file=sys.stderr)
    return _until_finished(run_id, see, time.monotonic() + CANCELLED_WITHIN)


def until_cancelled(run_id: UUID | str) -> Snapshot:
    """Wait for a run that was asked to stop. Raises `Failure` when it takes too long."""
    return _until_finished(str(run_id), lambda snapshot: None, time.monotonic() + CANCELLED_WITHIN)


def _until_finished(run_id: str, see: See, deadline: float | None = None) -> Snapshot:
    for snapshot in _snapshots(run_id):
        see(snapshot)
        if snapshot["status"] in drawing.FINISHED:
            return snapshot
        if deadline and time.monotonic() > deadline:
            raise Failure(f"The run {short(run_id)} has not stopped yet. Check: forgelab run show {short(run_id)}")
    raise AssertionError


def _snapshots(run_id: str) -> Iterator[Snapshot]:
    asked = False
    while True:
        snapshot = selectors.run_snapshot(run_id=run_id)
        yield snapshot
        if snapshot["status"] == "queued" and not asked:
            asked = True
            check_worker(run_id)
        time.sleep(INTERVAL)


def check_worker(run_id: object) -> None:
    """Raises `NobodyWorks` when no worker answers."""
    if Stack(data_dir()).is_running():
        return
    from forgelab.celery import app

    try:
        answers = app.control.ping(timeout=PING_TIMEOUT)
    except Exception as error:  # whatever the broker's library raises: it is no reason to stop showing the run
        print(f"forgelab: the message broker does not answer ({error}); the run waits for it.", file=sys.stderr)
        return
    if not any(name.startswith("runs@") for answer in answers or [] for name in answer):
        raise NobodyWorks(run_id)
