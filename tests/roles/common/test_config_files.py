"""The task config_files: what it takes, what callbacks see of it, what it looks for and what it looks after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from ansible.errors import AnsibleError


def test_content_must_be_text(plugin: Callable[[str], ModuleType]) -> None:
    action = plugin("action.config_files")
    assert action.as_text("{{ 7*7 }}", "/x") == "{{ 7*7 }}"
    assert action.as_text(None, "/x") == ""
    with pytest.raises(AnsibleError, match="content of /x must be text"):
        action.as_text(["a"], "/x")


def test_what_callbacks_see_of_a_task_has_no_content(plugin: Callable[[str], ModuleType]) -> None:
    action = plugin("action.config_files")
    assert action.without_texts([{"content": "s3cret", "dest": "/x", "secret": True}]) == [
        {"dest": "/x", "secret": True}
    ]


def test_what_is_looked_for_is_found_with_the_targets_of_links(
    plugin: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    (tmp_path / "8.2").mkdir()
    (tmp_path / "8.2/pool.conf").touch()
    (tmp_path / "php8.2").touch()
    (tmp_path / "php").symlink_to(tmp_path / "php8.2")
    found = plugin("modules.config_files").look_for(
        [f"{tmp_path}/php", f"{tmp_path}/*/pool.conf", f"{tmp_path}/missing"]
    )
    assert found == {f"{tmp_path}/php": f"{tmp_path}/php8.2", f"{tmp_path}/8.2/pool.conf": ""}


def test_it_shows_what_it_looks_after_but_not_what_it_only_begins(plugin: Callable[[str], ModuleType]) -> None:
    module = plugin("modules.config_files")
    params = {
        "directories": [{"path": "/d", "creates": None}, {"path": "/e", "creates": "/there"}],
        "files": [
            {"dest": "/f", "force": True, "creates": None}, {"dest": "/once", "force": False, "creates": None},
            {"dest": "/g", "force": True, "creates": "/there"},
        ],
        "links": [{"path": "/l", "force": True, "creates": None}, {"path": "/m", "force": False, "creates": None}],
        "units": ["x.service"],
    }  # fmt: skip
    assert module.managed(params) == {"files": ["/f", "/l"], "directories": ["/d"], "units": ["x.service"]}
