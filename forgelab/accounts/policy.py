"""Who may do what: the one place that web, API and command line ask.

An action is named `noun.verb` like the service that does it. The table below says what each needs. Services ask at
their start (`check`); pages ask the same to hide a button (`may`).

The owner of this ForgeLab is every active superuser: the first user, and those made with `--admin`. The owner may do
everything, another user only looks. The command line, the scheduler and ForgeLab itself act as the owner: whoever runs
them on this machine can read its database and keys anyway.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied

from forgelab.accounts.actors import Actor, Kind

if TYPE_CHECKING:
    from django.db.models import Model

log = logging.getLogger("forgelab.audit")

AS_OWNER = (Kind.COMMAND_LINE, Kind.SCHEDULER, Kind.SYSTEM)


class Needs(Enum):
    """What an actor needs for an action."""

    LOGIN = "a login"
    OWNER = "to be an owner"


@dataclass(frozen=True)
class Action:
    """`title` completes the sentence "you may ..."."""

    needs: Needs
    title: str


def _owner(title: str) -> Action:
    return Action(Needs.OWNER, title)


ACTIONS = {
    "forgelab.view": Action(Needs.LOGIN, "look at devices, servers and runs"),
    "placement.rank": Action(Needs.LOGIN, "ask where servers would fit"),
    "device.add": _owner("add a device"),
    "device.join": _owner("let a device join"),
    "join_token.create": _owner("make a command by which a device joins"),
    "device.update": _owner("change a device"),
    "device.refresh": _owner("refresh a device"),
    "device.trust": _owner("trust other host keys of a device"),
    "device.remove": _owner("remove a device"),
    "identity.add": _owner("add an SSH key"),
    "server.provision": _owner("provision a server"),
    "server.change": _owner("change a server"),
    "server.plan": _owner("plan a change of a server"),
    "server.apply": _owner("apply a plan"),
    "server.drift_check": _owner("check a server for drift"),
    "server.daily_check": _owner("change how often a server is checked for drift"),
    "server.decommission": _owner("decommission a server"),
    "server.forget": _owner("forget a server"),
    "server.reveal_credentials": _owner("see the credentials of a server"),
    "server.export": _owner("export servers with their secrets"),
    "backup.create": _owner("back up databases"),
    "backup.restore": _owner("restore a database"),
    "backup.refresh": _owner("ask a device for its backups"),
    "run.cancel": _owner("cancel a run"),
    "user.create": _owner("make users"),
    "token.create": _owner("make API tokens"),
    "audit.view": _owner("see who did what"),
    "admin.use": _owner("use the admin pages"),
}


def may(actor: Actor, action: str, obj: Model | None = None) -> bool:
    """Whether the actor may do this to `obj`. Raises `KeyError` for an action that is not in the table."""
    needs = ACTIONS[action].needs
    if actor.user is None:
        return actor.kind in AS_OWNER
    return actor.user.is_active and (needs is Needs.LOGIN or actor.user.is_owner)


def check(actor: Actor, action: str, obj: Model | None = None) -> None:
    """Raise `PermissionDenied` for what the actor may not do, with a sentence: what is missing, and who can help."""
    if may(actor, action, obj):
        return
    log.warning("%s (%s) from %s is refused: %s %s", actor, actor.kind, actor.origin or "-", action, obj or "")
    raise PermissionDenied(refusal(actor, action))


def refusal(actor: Actor, action: str) -> str:
    """The sentence for somebody who may not do it."""
    title = ACTIONS[action].title
    if actor.user is None:
        return f"Log in first: only then you may {title}."
    return f"{actor.user.get_username()} may look at everything, but not {title}. {_who_can_help()}"


def _who_can_help() -> str:
    from forgelab.accounts.models import User

    owners = (
        User.objects.filter(is_active=True, is_superuser=True)
        .order_by("date_joined")
        .values_list("username", flat=True)[:3]
    )
    if names := " or ".join(owners):
        return f"Ask an owner of this ForgeLab: {names}."
    return "This ForgeLab has no owner. Make one on its machine: forgelab user create NAME --admin"
