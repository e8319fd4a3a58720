"""Checks of written files by their own programs, and filters that refuse a value by its variable's name."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.roles.helpers import load_plugin


@pytest.fixture
def validation() -> ModuleType:
    return load_plugin("module_utils.validation")


def test_a_failing_check_shows_command_and_output(validation: ModuleType) -> None:
    validation.validate(["true"])
    with pytest.raises(validation.ValidationFailed, match=r"(?s)`sh -c 'echo bad; exit 3'`.*status 3.*bad"):
        validation.validate(["true", "sh -c 'echo bad; exit 3'"])


def test_a_check_that_is_not_installed_says_so(validation: ModuleType) -> None:
    with pytest.raises(validation.ValidationFailed, match="is not on this device"):
        validation.validate(["no-such-program -t"])


def test_a_failing_check_does_not_print_secrets(validation: ModuleType) -> None:
    secret = '# a comment\nrequirepass "hunter2hunter2"\n'
    output = validation.masked('error at >>> requirepass "hunter2hunter2" in line 2: hunter2hunter2', [secret])
    assert "hunter2" not in output
    assert "in line 2" in output
