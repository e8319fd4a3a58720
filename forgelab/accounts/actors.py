"""Who does something: a person, a token, the command line, the scheduler, a webhook, or ForgeLab itself.

Each front end makes an actor where a request enters (`from_request`, `from_shell`, `SCHEDULER`); services pass it on.
"""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import TextChoices

from forgelab.lib.client_ip import client_ip

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

    from forgelab.accounts.models import User

SHOWN_OF_TOKEN = 8  # characters of a token's public prefix; knox stores 15 in clear


class Kind(TextChoices):
    PERSON = "person", "Person"
    TOKEN = "token", "Token"
    COMMAND_LINE = "command_line", "Command line"
    SCHEDULER = "scheduler", "Scheduler"
    WEBHOOK = "webhook", "Webhook"
    SYSTEM = "system", "ForgeLab"


@dataclass(frozen=True)
class Actor:
    """Who does something. `user` is the account that it is done with; only a person and a token have one.

    `display` is shown to people. `origin` is where it was asked: the client's IP address, or `login@host` of the shell.
    """

    kind: Kind
    display: str
    origin: str = ""
    user: User | None = None

    def __str__(self) -> str:
        return self.display


SCHEDULER = Actor(Kind.SCHEDULER, "scheduler")
SYSTEM = Actor(Kind.SYSTEM, "ForgeLab")


def from_request(request: HttpRequest | Request) -> Actor:
    """Who sent this web or API request. Without a login it is a person without a user, who may do nothing."""
    user = _user(request.user)
    token_key = getattr(getattr(request, "auth", None), "token_key", "")
    if user and token_key:
        return from_token(user, token_key, client_ip(request))
    return from_person(user, client_ip(request))


def from_person(user: User | None, address: str = "") -> Actor:
    return Actor(Kind.PERSON, user.get_username() if user else "anonymous", address, user)


def from_token(user: User, token_key: str, address: str = "") -> Actor:
    """The program that holds an API token of `user`; `token_key` is the token's public prefix."""
    return Actor(Kind.TOKEN, f"{user.get_username()} (token {token_key[:SHOWN_OF_TOKEN]})", address, user)


def from_shell() -> Actor:
    """The user who runs this command: the login behind sudo where there is one, else the owner of the process."""
    login = os.environ.get("SUDO_USER") or _login(os.getuid())
    return Actor(Kind.COMMAND_LINE, f"{login} (command line)", f"{login}@{socket.gethostname()}")


def _login(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run as a number without a name
        return str(uid)


def _user(user: Any) -> User | None:
    return None if user is None or isinstance(user, AnonymousUser) else user
