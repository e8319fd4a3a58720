"""Tokens that let one machine join: making one, the command that carries it, and the result."""

from __future__ import annotations

import hashlib
import re
import secrets
import shlex
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices.models import Device, JoinToken
from forgelab.lib import public_url

if TYPE_CHECKING:
    from forgelab.accounts.models import User

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits: nobody guesses one
KEPT = timedelta(days=30)  # how long tokens, their makers and their results are remembered
LONGEST = timedelta(minutes=10)  # after which a join without a result was cut off with ForgeLab itself


class NotReachable(Exception):
    """No other machine can reach ForgeLab as it runs now. `command` starts it so that they can."""

    def __init__(self, listening: str) -> None:
        self.command = public_url.restart_command(listening)
        super().__init__(
            "ForgeLab listens only to the machine that it runs on, so no other machine can reach it. Stop it with "
            f"`forgelab down` and start it for your network with `{self.command}`; or, where a proxy leads to it, set "
            "FORGELAB_URL to the address that your devices reach."
        )


@dataclass(frozen=True)
class Outcome:
    """How a join stands: waiting, joining, joined, failed or expired, and the sentence for the user."""

    state: str
    sentence: str
    device: Device | None = None

    @property
    def is_over(self) -> bool:
        return self.state not in ("waiting", "joining")


def base_url(*, asked: str = "", listening: str | None = None) -> str:
    """The URL at which devices reach ForgeLab. Raises `NotReachable`.

    `asked` is how the present request came; `listening` the running stack's URL, by default as given to this process.
    """
    listening = settings.LISTENING_URL if listening is None else listening
    url = public_url.choose(configured=settings.PUBLIC_URL, asked=asked, listening=listening)
    if url is None:
        raise NotReachable(listening or asked)
    return url


def command(url: str, token: str, *, program: str = "curl -fsS", sudo: bool = True) -> str:
    """The line to run on the device."""
    return f"{program} {shlex.quote(join_url(url, token))} | {'sudo ' if sudo else ''}sh"


def join_url(url: str, token: str) -> str:
    return f"{url}/join/{token}"


@transaction.atomic
def token_create(*, user: User, name: str = "", actor: Actor) -> tuple[JoinToken, str]:
    """A token that is valid for `settings.JOIN_MINUTES`, and its text, which is seen but this once.

    `name` is for the device; without one it takes the machine's host name. Raises `ValidationError` naming `name`.
    """
    check(actor, "join_token.create")
    now = timezone.now()
    text = secrets.token_urlsafe(32)
    expires_at = now + timedelta(minutes=settings.JOIN_MINUTES)
    token = JoinToken(digest=digest(text), name=name, created_by=user, expires_at=expires_at)
    token.full_clean()
    if name and Device.objects.filter(name=name).exists():
        raise ValidationError({"name": f"There is a device {name} already. Choose another name."})
    JoinToken.objects.filter(expires_at__lt=now - KEPT).delete()
    token.save()
    after = audit.state(token, "name", "created_by", "expires_at")
    audit.record(actor=actor, action="join_token.create", obj=token, after=after)
    return token, text


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def token_find(text: str) -> JoinToken | None:
    return _valid().filter(digest=digest(text)).first() if TOKEN.fullmatch(text) else None


def _valid() -> QuerySet[JoinToken]:
    """What somebody who has been shut out had made counts no more."""
    return JoinToken.objects.filter(created_by__is_active=True)


def token_take(text: str) -> JoinToken | None:
    """The token if it was still open; from now on it is used, also when another machine brings it right then."""
    now = timezone.now()
    still_open = _valid().filter(digest=digest(text), used_at=None, expires_at__gt=now)
    return token_find(text) if still_open.update(used_at=now) == 1 else None


def problem(token: JoinToken | None) -> str:
    """Why nobody can join with the token; empty while somebody can."""
    again = "Make a new one on ForgeLab's page Add a device, or with: forgelab device join"
    if token is None:
        return f"This command is not one of ForgeLab's, or was made too long ago. {again}"
    if token.used_at:
        return f"This command was used already, and each can be used once. {again}"
    if token.expires_at <= timezone.now():
        return f"This command is too old: it could be used for {settings.JOIN_MINUTES} minutes. {again}"
    return ""


def outcome(token: JoinToken) -> Outcome:
    now = timezone.now()
    if token.device:
        return Outcome("joined", f"{token.device.name} has joined at {token.device.address}.", token.device)
    if token.failure:
        return Outcome("failed", token.failure)
    if token.used_at is None:
        if token.expires_at > now:
            return Outcome("waiting", "Waiting for the machine: run the command on it.")
        return Outcome("expired", "The command was not used in time. Make a new one.")
    if token.used_at > now - LONGEST:
        return Outcome("joining", "The machine has called. Logging in to it …")
    return Outcome("failed", "ForgeLab was stopped while the machine joined, or the device was removed. Join again.")
