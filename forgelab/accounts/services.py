"""Making users and API tokens."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from knox.models import get_token_model

from forgelab.accounts.models import User

PASSWORD_BYTES = 12  # 96 bits


def password_generate() -> str:
    """A random password that no list of common ones can hold."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


@transaction.atomic
def user_create(*, username: str, password: str, is_admin: bool = False) -> User:
    """Make a user; an admin may use Django's admin pages too. Raises `ValidationError` naming username or password."""
    user = User(username=username, is_staff=is_admin, is_superuser=is_admin)
    user.set_password(password)
    user.full_clean()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from None
    user.save()
    return user


def first_user_ensure(*, username: str) -> str | None:
    """Where there is no user at all, make an admin and return the password it was given; else None."""
    if User.objects.exists():
        return None
    password = password_generate()
    user_create(username=username, password=password, is_admin=True)
    return password


def token_create(*, user: User, days: int | None = None) -> str:
    """An API token for `user`, valid for `days` or without end. Only its hash is stored: it is seen but this once."""
    _, token = get_token_model().objects.create(user=user, expiry=timedelta(days=days) if days else None)
    return str(token)
