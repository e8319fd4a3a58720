from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

INSTALLER = ["laravel/installer:^5", "acme/tool"]


def test_what_is_wanted_is_written_in_composers_own_format(evaluate: Callable[..., Any]) -> None:
    repositories = [{"type": "path", "url": "/srv/{ü} \"'"}, {"type": "composer", "url": "https://mirror.lan"}]
    wanted = evaluate(
        "composer", "composer_wanted", composer_global_packages=INSTALLER, composer_repositories=repositories
    )
    assert json.loads(wanted) == {
        "config": {"bin-dir": "bin"},
        "repositories": [
            {"type": "path", "url": "/srv/{ü} \"'", "options": {"symlink": False}},
            {"type": "composer", "url": "https://mirror.lan"},
            {"packagist": False},
        ],
        "require": {"laravel/installer": "^5", "acme/tool": "*"},
    }


def test_the_folder_is_named_after_what_is_wanted(evaluate: Callable[..., Any]) -> None:
    one = evaluate("composer", "composer_home", composer_global_packages=INSTALLER)
    assert one == evaluate("composer", "composer_home", composer_global_packages=INSTALLER)
    assert one != evaluate("composer", "composer_home", composer_global_packages=INSTALLER[:1])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("composer_global_packages", ["laravel"]),
        ("composer_global_packages", ["--help/x"]),
        ("composer_global_packages", ["a/b:$(touch pwned)"]),
        ("composer_global_packages", ["a/b\n"]),
        ("composer_repositories", [{"type": "path"}]),
        ("composer_repositories", [{"type": "pear", "url": "x"}]),
        ("composer_repositories", [{"type": "vcs", "url": "--upload-pack=x"}]),
        ("composer_repositories", [{"type": "path", "url": "/srv/{{ 7*7 }}"}]),
    ],
)
def test_it_refuses_with_the_variables_name(
    refusals: Callable[..., list[str]], variable: str, value: list[Any]
) -> None:
    found = refusals("composer", **{variable: value})
    assert [sentence.split(":")[0] for sentence in found] == [variable]


def test_the_defaults_are_fine(refusals: Callable[..., list[str]]) -> None:
    assert refusals("composer", composer_global_packages=INSTALLER) == []
