from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from ansible.template import trust_as_template

from .conftest import ROLES, templar

TRICKY = "{{ 7*7 }} `;touch pwned;` $(x) \"'\\ %d #ü日本"


def exact(role: str, template: str, **variables: Any) -> str:
    """A template as config_files renders it: backslashes in its expressions mean what they say."""
    source = trust_as_template((ROLES / role / "templates" / template).read_text())
    options = {"escape_backslashes": False, "overrides": {"trim_blocks": True}}
    return str(templar(role, **variables).template(source, **options))


def test_the_password_arrives_as_itself() -> None:
    line = exact("redis", "secret.conf.j2", redis_password=TRICKY).splitlines()[-1]
    assert line == 'requirepass "{{ 7*7 }} `;touch pwned;` $(x) \\"\'\\\\ %d #ü日本"'


def test_without_a_password_there_is_no_line_for_it(render: Callable[..., str]) -> None:
    assert "requirepass" not in render("redis", "secret.conf.j2")


def test_the_password_stays_out_of_the_file_whose_diff_is_shown(render: Callable[..., str]) -> None:
    assert TRICKY not in render("redis", "redis.conf.j2", redis_password=TRICKY)


def test_the_configuration_keeps_the_distributions_file_and_the_users_snippets(render: Callable[..., str]) -> None:
    lines = [line for line in render("redis", "redis.conf.j2").splitlines() if line and not line.startswith("#")]
    assert lines == [
        "include /etc/redis/redis.conf",
        "bind 127.0.0.1 -::1",
        "port 6379",
        "protected-mode yes",
        "maxmemory 204mb",
        "maxmemory-policy volatile-lru",
        'save ""',
        "save 3600 1 300 100 60 10000",
        "appendonly no",
        "appendfsync everysec",
        "include /etc/redis/forgelab-secret.conf",
        "include /etc/redis/forgelab.d/*.conf",
    ]


@pytest.mark.parametrize(
    ("persistence", "snapshots", "journal"),
    [("rdb", True, "no"), ("aof", False, "yes"), ("both", True, "yes"), ("none", False, "no")],
)
def test_persistence_is_a_choice(render: Callable[..., str], persistence: str, snapshots: bool, journal: str) -> None:
    text = render("redis", "redis.conf.j2", redis_persistence=persistence)
    assert ("save 3600" in text) is snapshots
    assert f"appendonly {journal}" in text


def test_memory_has_a_floor_and_can_be_named(evaluate: Callable[..., Any]) -> None:
    assert evaluate("redis", "redis_memory_mb", ansible_facts={"memtotal_mb": 128}) == 32
    assert evaluate("redis", "redis_memory_mb", redis_maxmemory_mb=512) == 512


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("redis_password", "a\nb"),
        ("redis_password", "x" * 600),
        ("redis_bind_addresses", ["127.0.0.1\nport 1"]),
        ("redis_bind_addresses", ["{{ 7*7 }}"]),
        ("redis_bind_addresses", []),
        ("redis_save", "60 1\nport 1"),
        ("redis_port", 0),
        ("redis_memory_share", 100),
        ("redis_maxmemory_mb", -1),
    ],
)
def test_it_refuses_with_the_variables_name(evaluate: Callable[..., Any], variable: str, value: object) -> None:
    refusals = evaluate("redis", "redis_refusals", **{variable: value})
    assert refusals
    assert all(sentence.startswith(variable) for sentence in refusals)


def test_the_defaults_and_tricky_passwords_are_fine(evaluate: Callable[..., Any]) -> None:
    assert evaluate("redis", "redis_refusals", redis_password=TRICKY) == []


def test_the_checks_are_commands_a_shell_splits(evaluate: Callable[..., Any]) -> None:
    checks = [shlex.split(check) for check in evaluate("redis", "redis_checks")]
    assert [check[0] for check in checks] == ["sh", "sh", "python3"]
    assert checks[2][3:] == ["127.0.0.1"]
