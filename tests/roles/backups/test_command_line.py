"""The backup program's command line: one at a time, and names that look like options."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.roles.backups.program import load, problems

cli = load("cli")


def test_two_never_work_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "LOCK", tmp_path / "lock")
    with cli.alone(), pytest.raises(problems.Busy, match=f"process {os.getpid()}"), cli.alone():
        pass
    with cli.alone():
        pass


def test_a_name_that_begins_with_a_dash_is_no_option(plugin: Any) -> None:
    module: ModuleType = plugin("modules.device_backups")
    parsed = cli.parser().parse_args(module.command({"state": "made", "databases": ["--version"]}))
    assert parsed.databases == ["--version"]
    given = {"state": "restored", "database": "-x", "at": "", "into": "--json", "engine": "mysql"}
    parsed = cli.parser().parse_args(module.command(given))
    assert (parsed.database, parsed.into, parsed.engine, parsed.at) == ("-x", "--json", "mysql", "")
