from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.test import Client

from forgelab.accounts.models import User
from forgelab.devices.models import Device
from tests import factories
from tests.web.world import stand_in


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_superuser("ada", password="correct horse battery")


@pytest.fixture
def web(client: Client, user: User) -> Client:
    """A browser that has logged in."""
    client.force_login(user)
    return client


@pytest.fixture
def best(db: None) -> Device:
    return factories.device("homelab-server-02")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    return stand_in(monkeypatch)
