from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from forgelab.cli.main import main
from tests.cli.commands import Command, Done
from tests.recipes.helpers import write_small_recipe


@pytest.fixture(autouse=True)
def small_recipe(settings: Settings, tmp_path: Path) -> None:
    """A small recipe with roles of its own."""
    settings.RECIPES_DIR, settings.ROLES_DIR = write_small_recipe(tmp_path)


@pytest.fixture
def forgelab(db: None, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs one command as the console script does: its exit status and what it printed."""

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        status = main(arguments)
        return Done(status, *capsys.readouterr())

    return run
