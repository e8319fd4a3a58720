"""Who did what: an entry for every change, written in the transaction of the change.

A service calls `record` beside its `save()`, so that an entry stands exactly where the change does: both are committed
or neither. The entries cannot be changed (`forgelab.accounts.append_only`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Model

from forgelab.accounts.actors import Actor
from forgelab.accounts.masking import known_secrets, masked, state
from forgelab.accounts.models import AuditEntry
from forgelab.accounts.policy import ACTIONS

__all__ = ["EVENTS", "record", "state", "titles"]

# What is recorded without anybody being asked for permission.
EVENTS = {
    "user.login": "log in",
    "user.logout": "log out",
    "user.login_failed": "fail to log in",
    "admin.add": "add something on the admin pages",
    "admin.change": "change something on the admin pages",
    "admin.delete": "delete something on the admin pages",
}


def titles() -> dict[str, str]:
    """Every action that an entry can have, with its words."""
    return {name: action.title for name, action in ACTIONS.items()} | EVENTS


def record(
    *,
    actor: Actor,
    action: str,
    obj: Model | None = None,
    name: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    secrets: Iterable[str] = (),
) -> AuditEntry:
    """Write that `actor` did `action` to `obj`, whose `name` is taken from it unless given.

    Of `before` and `after`, what is the same in both is left out, and secrets are masked: by the names of their fields,
    the object's encrypted fields, and `secrets`. Raises `RuntimeError` outside of a transaction and `KeyError` for an
    unknown action.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{action} is recorded outside of the transaction that does it.")
    titles()[action]
    hidden = known_secrets(obj) | set(secrets)
    was, now = _differing(masked(before or {}, hidden), masked(after or {}, hidden))
    return AuditEntry.objects.create(
        actor_kind=actor.kind, actor=actor.display[:200], user=actor.user, origin=actor.origin[:255], action=action,
        object_type=obj._meta.model_name if obj else "", object_id=str(obj.pk) if obj else "",
        object_name=masked(name or (str(obj) if obj else ""), hidden)[:200], before=was, after=now,
    )  # fmt: skip


def _differing(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    same = {key for key in before.keys() & after.keys() if before[key] == after[key]}
    return tuple({key: value for key, value in side.items() if key not in same} for side in (before, after))
