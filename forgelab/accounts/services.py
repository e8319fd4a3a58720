"""Making users and API tokens."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from knox.models import get_token_model

from forgelab.accounts import audit
from forgelab.accounts.actors import SHOWN_OF_TOKEN, Actor
from forgelab.accounts.models import User
from forgelab.accounts.policy import check

PASSWORD_BYTES = 12  # 96 bits


def password_generate() -> str:
    """A random password that no list of common ones can hold."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


@transaction.atomic
def user_create(*, username: str, password: str, is_admin: bool = False, actor: Actor) -> User:
    """Make a user. An admin is an owner, who may do everything; so is the first user, whom nobody else could help.

    Raises `ValidationError` naming `username` or `password`.
    """
    check(actor, "user.create")
    is_owner = is_admin or not User.objects.exists()
    user = User(username=username, is_staff=is_owner, is_superuser=is_owner)
    user.set_password(password)
    user.full_clean()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from None
    user.save()
    audit.record(actor=actor, action="user.create", obj=user, after=audit.state(user, "username", "is_superuser"))
    return user


def first_user_ensure(*, username: str, actor: Actor) -> str | None:
    """Where there is no user at all, make an admin and return the password it was given; else None."""
    if User.objects.exists():
        return None
    password = password_generate()
    user_create(username=username, password=password, is_admin=True, actor=actor)
    return password


@transaction.atomic
def token_create(*, user: User, days: int | None = None, actor: Actor) -> str:
    """An API token for `user`, valid for `days` or without end. Only its hash is stored: it is shown only this once."""
    check(actor, "token.create")
    made, token = get_token_model().objects.create(user=user, expiry=timedelta(days=days) if days else None)
    after = {"prefix": made.token_key[:SHOWN_OF_TOKEN], "expires": made.expiry}
    audit.record(actor=actor, action="token.create", obj=user, after=after)
    return str(token)
