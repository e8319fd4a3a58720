from __future__ import annotations

import subprocess
import sys

import pytest

from forgelab import __version__
from tests.cli.commands import Command


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_it_helps(forgelab: Command, arguments: list[str]) -> None:
    done = forgelab(*arguments)
    assert done.status == 0
    assert "forgelab server provision laravel-app-server" in done.out


def test_it_prints_its_version(forgelab: Command) -> None:
    assert forgelab("--version").out == f"forgelab {__version__}\n"


def test_an_unknown_command_gets_a_suggestion(forgelab: Command) -> None:
    done = forgelab("sever", "list")
    assert done.status == 2 and 'Did you mean "server"?' in done.err


def test_djangos_own_commands_work_too(forgelab: Command) -> None:
    assert forgelab("migrate", "--check").status == 0
    assert 'Did you mean "migrate"?' in forgelab("migrat").err


def test_a_verb_that_there_is_not_is_reported_with_those_there_are(forgelab: Command) -> None:
    done = forgelab("device", "lst")
    assert done.status == 2 and "'list'" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize("arguments", [["--help"], ["lab", "--help"], ["status"]])
def test_help_lab_and_status_do_not_load_django(arguments: list[str]) -> None:
    code = f"""
import sys
from forgelab.cli.main import main
try:
    main({arguments!r})
except SystemExit:
    pass
sys.exit("django" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0


@pytest.mark.parametrize("message", ["no such table: devices_device", 'relation "devices_device" does not exist'])
def test_a_database_that_is_not_set_up_is_reported_with_the_way_out(
    forgelab: Command, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    from django.db import OperationalError

    from forgelab.cli.device import list as device_list

    def broken(_: object) -> None:
        raise OperationalError(message)

    monkeypatch.setattr(device_list, "run", broken)
    done = forgelab("device", "list")
    assert done.status == 1 and "forgelab migrate" in done.err and "Traceback" not in done.err
