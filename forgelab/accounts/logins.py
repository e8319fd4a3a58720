"""Logins, logouts and failed logins, recorded from Django's signals."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import signals
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest

from forgelab.accounts import audit
from forgelab.accounts.actors import from_person
from forgelab.accounts.models import User
from forgelab.lib.client_ip import client_ip

RECORDED = 20  # failed logins from one address within a minute: guesses must not fill the disk
MINUTE = 60  # seconds


def connect() -> None:
    signals.user_logged_in.connect(logged_in, dispatch_uid="audit.logged_in")
    signals.user_logged_out.connect(logged_out, dispatch_uid="audit.logged_out")
    signals.user_login_failed.connect(login_failed, dispatch_uid="audit.login_failed")


def logged_in(sender: Any, request: HttpRequest, user: User, **more: Any) -> None:
    _record("user.login", request, user)


def logged_out(sender: Any, request: HttpRequest, user: User | None, **more: Any) -> None:
    if user:
        _record("user.logout", request, user)


def login_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **more: Any) -> None:
    """What was typed is kept only where it is a user's name: some type their password there."""
    address = client_ip(request) if request else ""
    if not _may_record(address):
        return
    typed = credentials.get(User.USERNAME_FIELD)
    _record("user.login_failed", request, User.objects.filter(username=typed).first())


def _record(action: str, request: HttpRequest | None, user: User | None) -> None:
    actor = from_person(user if action != "user.login_failed" else None, client_ip(request) if request else "")
    with transaction.atomic():
        audit.record(actor=actor, action=action, obj=user)


def _may_record(address: str) -> bool:
    key = f"failed-logins-{address}"
    cache.add(key, 0, MINUTE)
    try:
        return cache.incr(key) <= RECORDED
    except ValueError:  # the minute has just ended
        return True
