from __future__ import annotations

import pytest
from hypothesis import settings

from forgelab.recipes.loader import load_text
from forgelab.recipes.model import Recipe
from forgelab.recipes.rolespec import Roles

from .helpers import MANIFEST, read_roles

# How long an example takes depends on what else the machine does.
settings.register_profile("recipes", deadline=None)
settings.load_profile("recipes")


@pytest.fixture(scope="session")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Roles:
    return read_roles(tmp_path_factory.mktemp("roles"))


@pytest.fixture(scope="session")
def recipe(roles: Roles) -> Recipe:
    return load_text(MANIFEST, roles)
