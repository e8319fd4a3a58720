"""Values that the role postgresql refuses, each with its variable's name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

TRICKY = "{{ 7*7 }} `;touch pwned;` $(x) \"'\\ %d %s %% #ü日本"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("postgresql_password", ""),
        ("postgresql_password", "a\nb"),
        ("postgresql_password", "md5" + "0" * 32),
        ("postgresql_password", "SCRAM-SHA-256$4096:x"),
        ("postgresql_user", "{{ 7*7 }}"),
        ("postgresql_user", "postgres"),
        ("postgresql_user", "pg_x"),
        ("postgresql_database", 'x"; drop'),
        ("postgresql_database", "template1"),
        ("postgresql_listen_addresses", ["'; x"]),
        ("postgresql_standby_networks", ["10.0.0.5"]),
        ("postgresql_replication_user", "postgres"),
        ("postgresql_replication_user", "app"),
        ("postgresql_replication_password", "a\nb"),
        ("postgresql_replicate_from", "10.0.0.5 user=x"),
        ("postgresql_primary_password", "a\nb"),
        ("postgresql_standby_wal_mb", 1),
        ("postgresql_allowed_networks", ["10.0.0.0/8\nhost all all 0.0.0.0/0 trust"]),
        ("postgresql_allowed_networks", ["10.0.0.0/33"]),
        ("postgresql_memory_share", 0),
        ("postgresql_max_connections", 1),
    ],
)
def test_it_refuses_with_the_variables_name(refusals: Callable[..., list[str]], variable: str, value: object) -> None:
    passwords = ("postgresql_password", "postgresql_replication_password", "postgresql_primary_password")
    given = {**dict.fromkeys(passwords, "s"), variable: value}
    found = refusals("postgresql", **given)
    assert [sentence.split(":")[0] for sentence in found] == [variable]


def test_a_tricky_password_is_fine(refusals: Callable[..., list[str]]) -> None:
    assert refusals("postgresql", postgresql_password=TRICKY) == []
