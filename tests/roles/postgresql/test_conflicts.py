"""What the role postgresql finds in a database server that is there: its own, or somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

# Stored by PostgreSQL 15 itself for this password, and what the role's question makes of it.
KNOWN = "S3cret-pw ${x}"
STORED = "4096:43+0vOJkvR+OdMHgm9HOOw==:2f01efd2"


@pytest.mark.parametrize(
    ("password", "stored", "fits"),
    [
        (KNOWN, STORED, True),
        (KNOWN + " ", STORED, False),
        (KNOWN, STORED.replace("4096", "4097"), False),
        (KNOWN, STORED.replace("43+0", "43+1"), False),
        (KNOWN, STORED[:-1], False),
        (KNOWN, None, False),
        (KNOWN, "nonsense", False),
        (KNOWN, "x:y:z", False),
        ("ü", STORED, False),
    ],
)
def test_the_stored_password_is_known_again(
    evaluate: Callable[..., Any], password: str, stored: str | None, fits: bool
) -> None:
    answers = {"query_result": [{**MADE, "user_stored": stored}]}
    made = evaluate("postgresql", "postgresql_user_is_made", postgresql_password=password, postgresql_answers=answers)
    assert made is fits


MADE = {"user_has_its_rights": True, "user_comment": "Managed by ForgeLab"}


@pytest.mark.parametrize("change", [{"user_has_its_rights": False}, {"user_comment": None}])
def test_a_user_that_lost_its_rights_or_mark_is_made_again(evaluate: Callable[..., Any], change: dict) -> None:
    answers = {"query_result": [{**MADE, "user_stored": STORED, **change}]}
    assert not evaluate("postgresql", "postgresql_user_is_made", postgresql_password=KNOWN, postgresql_answers=answers)


def conflicts(evaluate: Callable[..., Any], **found: object) -> list[str]:
    there = {"version": 15, "is_standby": False, "user_comment": None, "database_owner": None}
    there |= {"replication_comment": None, **{name: found.pop(name) for name in list(found) if name in ASKED}}
    names = {"inventory_hostname": "web1", "postgresql_answers": {"query_result": [there]}, **found}
    return list(evaluate("postgresql", "postgresql_conflicts", **names))


ASKED = ("version", "is_standby", "user_comment", "database_owner", "replication_comment")


def test_nothing_there_or_ours_is_no_conflict(evaluate: Callable[..., Any]) -> None:
    assert conflicts(evaluate) == []
    assert conflicts(evaluate, user_comment="Managed by ForgeLab", database_owner="app") == []


def test_another_users_name_and_database_are_left_alone(evaluate: Callable[..., Any]) -> None:
    assert conflicts(evaluate, user_comment="", database_owner="shop") == [
        "postgresql_user: app exists on web1 and was not made by ForgeLab; choose another name, or hand it over "
        "(its password is then replaced): sudo -u postgres psql -c "
        "'COMMENT ON ROLE \"app\" IS $$Managed by ForgeLab$$'",
        "postgresql_database: app exists on web1 and belongs to shop; choose another name, or hand it over: "
        'sudo -u postgres psql -c \'ALTER DATABASE "app" OWNER TO "app"\'',
    ]


def test_another_version_on_the_port_is_named(evaluate: Callable[..., Any]) -> None:
    assert conflicts(evaluate, version=13)[0].startswith("postgresql_version: port 5432 of web1 belongs to")


def test_a_standby_is_not_made_a_primary_by_leaving_out_a_name(evaluate: Callable[..., Any]) -> None:
    assert conflicts(evaluate, is_standby=True)[0].startswith("postgresql_replicate_from: web1 is a standby.")
    assert conflicts(evaluate, is_standby=True, postgresql_promote=True) == []


def test_a_standby_must_have_its_primarys_database(evaluate: Callable[..., Any]) -> None:
    follows = {"is_standby": True, "postgresql_replicate_from": "10.0.0.5"}
    assert conflicts(evaluate, database_owner="app", **follows) == []
    assert conflicts(evaluate, database_owner=None, **follows)[0].startswith("postgresql_database: 10.0.0.5, which")
