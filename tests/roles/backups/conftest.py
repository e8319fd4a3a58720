"""A database server in memory, and the backup program at work on it at a time of the test's choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.roles.backups.program import NOW, Memory, engine, load

work, restoring, settings = load("work"), load("restoring"), load("settings")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Memory:
    made = Memory(shop="rows", blog="posts")
    for module in (work, restoring):
        monkeypatch.setattr(module, "engines", lambda: [made])
    monkeypatch.setattr(engine, "compressor", lambda: (["gzip", "-c"], ".sql.gz"))
    monkeypatch.setattr(work, "compressor", lambda: (["gzip", "-c"], ".sql.gz"))
    return made


@pytest.fixture
def job(tmp_path: Path, server: Memory) -> Any:
    chosen = settings.Settings(directory=str(tmp_path / "backups"), reserve_mb=0)
    return work.Work(chosen, now=lambda: NOW)
