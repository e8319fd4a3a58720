from __future__ import annotations

import pytest
from hypothesis import settings

from forgelab.recipes.manifest.loader import load_text
from forgelab.recipes.model import Recipe
from forgelab.recipes.roles.spec import Roles, load_roles

from .helpers import MANIFEST, read_roles, write_roles
from .linking import READER, ROLES, SHELF

# How long an example takes depends on what else the machine does.
settings.register_profile("recipes", deadline=None)
settings.load_profile("recipes")


@pytest.fixture(scope="session")
def roles(tmp_path_factory: pytest.TempPathFactory) -> Roles:
    return read_roles(tmp_path_factory.mktemp("roles"))


@pytest.fixture(scope="session")
def recipe(roles: Roles) -> Recipe:
    return load_text(MANIFEST, roles)


@pytest.fixture(scope="module")
def own_roles(tmp_path_factory: pytest.TempPathFactory) -> Roles:
    return load_roles(write_roles(tmp_path_factory.mktemp("roles"), ROLES))


@pytest.fixture(scope="module")
def shelf(own_roles: Roles) -> Recipe:
    return load_text(SHELF, own_roles)


@pytest.fixture(scope="module")
def reader(own_roles: Roles) -> Recipe:
    return load_text(READER, own_roles)
