from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from forgelab.accounts import services
from forgelab.accounts.actors import SYSTEM
from forgelab.accounts.models import User
from tests.recipes.helpers import write_small_recipe


@pytest.fixture(autouse=True)
def small_recipe(settings: Settings, tmp_path: Path) -> None:
    """A small recipe with roles of its own."""
    settings.RECIPES_DIR, settings.ROLES_DIR = write_small_recipe(tmp_path)


@pytest.fixture
def user(db: None) -> User:
    return services.user_create(username="ada", password="correct horse battery", actor=SYSTEM)


@pytest.fixture
def api(user: User) -> APIClient:
    """A client that sends a token, and gets errors as every client would."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {services.token_create(user=user, actor=SYSTEM)}")
    return client
