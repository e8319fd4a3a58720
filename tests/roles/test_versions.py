from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture
def versions(plugin: Callable[[str], ModuleType]) -> ModuleType:
    return plugin("modules.installed_versions")


def test_it_reads_the_version_from_the_programs_output(versions: ModuleType) -> None:
    program = [sys.executable, "-c", "import sys; print('nginx version: nginx/1.22.1', file=sys.stderr)"]
    report = {"name": "nginx", "title": "Nginx", "command": program, "pattern": r"nginx/([\d.]+)"}
    assert versions.ask(report) == {"name": "nginx", "title": "Nginx", "version": "1.22.1", "reason": None}


def test_without_a_pattern_the_first_number_with_a_dot_counts(versions: ModuleType) -> None:
    assert versions.read_version("PHP 8.2.30 (cli) (built: 2026)", None) == "8.2.30"


def test_a_missing_program_has_no_version_and_a_reason(versions: ModuleType) -> None:
    entry = versions.ask({"name": "x", "command": ["no-such-program"]})
    assert entry["version"] is None
    assert entry["reason"] == "no-such-program is not installed"
    assert entry["title"] == "x"


def test_output_without_a_version_and_a_wrong_pattern_have_a_reason(versions: ModuleType) -> None:
    silent = versions.ask({"name": "x", "command": ["true"]})
    wrong = versions.ask({"name": "x", "command": ["true"], "pattern": "("})
    assert silent["reason"] == "no version in the output of true"
    assert wrong["version"] is None and wrong["reason"]
