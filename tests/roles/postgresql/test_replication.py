"""What the role postgresql writes for a primary and its standbys, and what it wants to be told for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.roles.postgresql.configuration import settings

FOLLOWS = {
    "inventory_hostname": "DB-2.home",
    "postgresql_replicate_from": "10.0.0.5",
    "postgresql_primary_password": "a:b\\c d",
}


def test_a_commit_waits_only_where_a_standby_can_come(render: Callable[..., str]) -> None:
    def names(**variables: object) -> str | None:
        found = settings(render("postgresql", "forgelab.conf.j2", postgresql_synchronous=True, **variables))
        return found.get("synchronous_standby_names")

    assert names() is None
    assert names(postgresql_standby_networks=["10.0.0.5/32"]) == "'ANY 1 (*)'"


def test_a_standby_knows_its_primary_and_the_password_stands_elsewhere(render: Callable[..., str]) -> None:
    text = render("postgresql", "forgelab.conf.j2", **FOLLOWS)
    found = settings(text)
    assert found["primary_slot_name"] == "'forgelab_db_2_home'"
    assert dict(part.split("=") for part in found["primary_conninfo"].strip("'").split()) == {
        "host": "10.0.0.5",
        "port": "5432",
        "user": "forgelab_replication",
        "passfile": "/etc/postgresql/15/main/forgelab-primary.pgpass",
        "application_name": "forgelab_db_2_home",
    }
    assert render("postgresql", "pgpass.j2", **FOLLOWS).splitlines()[1] == (r"*:*:*:forgelab_replication:a\:b\\c d")


def test_a_promoted_standby_follows_nobody(render: Callable[..., str], evaluate: Callable[..., Any]) -> None:
    assert "primary_conninfo" not in settings(
        render("postgresql", "forgelab.conf.j2", postgresql_promote=True, **FOLLOWS)
    )
    assert [item["src"] for item in evaluate("postgresql", "postgresql_files", postgresql_promote=True, **FOLLOWS)] == [
        "forgelab.conf.j2"
    ]


def test_standbys_get_lines_of_their_own(evaluate: Callable[..., Any]) -> None:
    twice = ["10.0.0.5/32", "10.0.0.5/32"]  # named as a network and as a server
    lines = evaluate("postgresql", "postgresql_hba_lines", postgresql_standby_networks=twice)
    assert lines == ['host replication "forgelab_replication" 10.0.0.5/32 scram-sha-256']


def test_a_standby_gets_its_primarys_names(refusals: Callable[..., list[str]]) -> None:
    given = {**FOLLOWS, "postgresql_password": "s", "postgresql_primary_database": "shop"}
    found = refusals("postgresql", postgresql_primary_user="shop_user", **given)
    assert found == [
        "postgresql_database: a standby has the database and the user of its primary: choose shop of shop_user, not "
        "app of app."
    ]
    given |= {"postgresql_database": "shop", "postgresql_user": "shop_user"}
    assert refusals("postgresql", postgresql_primary_user="shop_user", **given) == []


def test_replication_needs_its_passwords(refusals: Callable[..., list[str]]) -> None:
    named = {"postgresql_standby_networks": ["10.0.0.5/32"], "postgresql_replicate_from": "10.0.0.6"}
    found = refusals("postgresql", postgresql_password="s", **named)
    assert [sentence.split(":")[0] for sentence in found] == [
        "postgresql_replication_password",
        "postgresql_primary_password",
    ]
