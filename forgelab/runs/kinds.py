"""Kinds of run. The room that asks for runs registers what they are: `register(PROVISION, listener)`.

A kind says what its runs are for, beside which others they may not run, where their result is shown, and who listens
to their end. `runs` itself knows none: it asks the kind.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.apps import apps
from django.db import transaction
from django.db.models import Model
from django.urls import reverse

if TYPE_CHECKING:
    from forgelab.runs.models import Run

logger = logging.getLogger(__name__)

Listener = Callable[["Run"], None]


class UnknownKind(LookupError):
    """No installed room has registered this kind of run."""


@dataclass(frozen=True)
class Page:
    """A web page about a run: the name of its URL, the words of the link, the URL's arguments, and its query.

    A page that is about the run's subject (`of_subject`) is there only as long as the subject is.
    """

    url_name: str
    label: str
    arguments: Callable[[Run], list[object]] = lambda run: []
    query: Callable[[Run], Mapping[str, str]] = lambda run: {}
    of_subject: bool = True

    def url(self, run: Run) -> str:
        query = urlencode(self.query(run))
        return reverse(self.url_name, args=self.arguments(run)) + (f"?{query}" if query else "")

    def link(self, run: Run) -> dict[str, str] | None:
        """The `url` and `label` to show for this run; None when its subject is gone."""
        if self.of_subject and run.subject is None:
            return None
        return {"url": self.url(run), "label": self.label}


@dataclass(frozen=True)
class RunKind:
    """What runs of one kind have in common. `name` is stored with each run; `label` is shown to people.

    `subject` is the model of what they are for, as `"app.Model"`. `doing` completes "the server is being ...".
    `conflicts` names the kinds that may not run for the same subject at the same time. `device_conflicts` names those
    that may not run for another subject on the same device, if one of the two `removes` something that both may need;
    whether a run does depends on its request.
    """

    name: str
    label: str
    subject: str
    doing: str
    result: Page
    failure: Page | None = None  # where to go when it has not succeeded; the result's page, if there is no other
    conflicts: frozenset[str] = frozenset()
    device_conflicts: frozenset[str] = frozenset()
    removes: Callable[[Mapping[str, Any]], bool] = lambda request: False
    after_cancel: str = ""  # a sentence for the user who is about to cancel it
    in_wizard: bool = False  # its live page is the last step of the provision wizard

    @property
    def subject_model(self) -> type[Model]:
        return apps.get_model(self.subject)

    def __str__(self) -> str:
        return self.name


_kinds: dict[str, RunKind] = {}
_listeners: dict[str, list[Listener]] = {}


def register(kind: RunKind, *listeners: Listener) -> None:
    """Make `kind` known, with the first listeners of its runs' end. For `AppConfig.ready`. Raises `ValueError` when
    another kind has the name."""
    if _kinds.setdefault(kind.name, kind) != kind:
        raise ValueError(f'Two kinds of run are named "{kind.name}".')
    for listener in listeners:
        on_end(kind.name, listener)


def on_end(name: str, listener: Listener) -> None:
    """Have `listener` called with every run of this kind that ends, inside the transaction that ends it.

    Listeners are called in the order of their registration: rooms lower in `INSTALLED_APPS` first.
    """
    _listeners.setdefault(name, []).append(listener)


def get(name: str) -> RunKind:
    """Raises `UnknownKind`."""
    try:
        return _kinds[name]
    except KeyError:
        known = ", ".join(sorted(_kinds)) or "none"
        raise UnknownKind(f'"{name}" is not a registered kind of run. Registered are: {known}.') from None


def find(name: str) -> RunKind | None:
    """For showing runs of the past, whose kind need not be registered any more."""
    return _kinds.get(name)


def notify_end(run: Run) -> None:
    """Call the listeners of a run that has just ended, in the transaction that ends it.

    One that fails is logged, and undoes its own changes only: a run that could not be closed would hold its device
    for ever, and the other listeners are owed the news.
    """
    for listener in _listeners.get(run.kind, ()):
        try:
            with transaction.atomic():
                listener(run)
        except Exception:
            logger.exception("run %s (%s) has ended, but a listener failed", run.pk, run.kind)
