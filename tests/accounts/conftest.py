from __future__ import annotations

import pytest

from forgelab.accounts.models import User


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("ada", password="correct horse battery")


@pytest.fixture
def guest(owner: User) -> User:
    """An ordinary user, who only looks."""
    return User.objects.create_user("bob", password="correct horse battery")
