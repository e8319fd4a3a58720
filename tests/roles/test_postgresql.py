from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

TRICKY = "{{ 7*7 }} `;touch pwned;` $(x) \"'\\ %d %s %% #ü日本"


def settings(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(" = ", 1) for line in lines)


def test_a_device_of_2_gb_shares_its_memory(render: Callable[..., str]) -> None:
    assert settings(render("postgresql", "forgelab.conf.j2")) == {
        "listen_addresses": "'localhost'",
        "password_encryption": "'scram-sha-256'",
        "max_connections": "100",
        "shared_buffers": "256MB",
        "effective_cache_size": "768MB",
        "maintenance_work_mem": "64MB",
        "work_mem": "4MB",
        "min_wal_size": "256MB",
        "max_wal_size": "1024MB",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "200",
    }


@pytest.mark.parametrize(
    ("memory", "share", "buffers", "work"),
    [(512, 50, "64MB", "4MB"), (16384, 100, "4096MB", "61MB"), (131072, 100, "8192MB", "256MB")],
)
def test_memory_has_bounds(render: Callable[..., str], memory: int, share: int, buffers: str, work: str) -> None:
    facts = {"memtotal_mb": memory}
    text = render("postgresql", "forgelab.conf.j2", ansible_facts=facts, postgresql_memory_share=share)
    assert settings(text)["shared_buffers"] == buffers
    assert settings(text)["work_mem"] == work


def test_a_turning_disk_is_told(render: Callable[..., str]) -> None:
    found = settings(render("postgresql", "forgelab.conf.j2", postgresql_storage="hdd"))
    assert (found["random_page_cost"], found["effective_io_concurrency"]) == ("4.0", "2")


def test_it_listens_outside_only_when_somebody_may_connect(render: Callable[..., str]) -> None:
    def listens(**variables: object) -> str:
        return settings(render("postgresql", "forgelab.conf.j2", **variables))["listen_addresses"]

    assert listens() == "'localhost'"
    assert listens(postgresql_allowed_networks=["10.0.0.0/8"]) == "'*'"
    assert listens(postgresql_standby_networks=["10.0.0.5/32"]) == "'*'"
    assert listens(postgresql_allowed_networks=["10.0.0.0/8"], postgresql_listen_addresses=["::1"]) == "'::1'"


def test_a_commit_waits_only_where_a_standby_can_come(render: Callable[..., str]) -> None:
    def names(**variables: object) -> str | None:
        found = settings(render("postgresql", "forgelab.conf.j2", postgresql_synchronous=True, **variables))
        return found.get("synchronous_standby_names")

    assert names() is None
    assert names(postgresql_standby_networks=["10.0.0.5/32"]) == "'ANY 1 (*)'"


FOLLOWS = {
    "inventory_hostname": "DB-2.home",
    "postgresql_replicate_from": "10.0.0.5",
    "postgresql_primary_password": "a:b\\c d",
}


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


def test_allowed_networks_become_lines_of_their_own(evaluate: Callable[..., Any]) -> None:
    block = evaluate("postgresql", "postgresql_hba_block", postgresql_allowed_networks=["10.0.0.0/8", "fd00::/8"])
    assert block.splitlines() == [
        "# BEGIN managed by ForgeLab: postgresql_allowed_networks",
        'host "app" "app" 10.0.0.0/8 scram-sha-256',
        'host "app" "app" fd00::/8 scram-sha-256',
        "# END managed by ForgeLab: postgresql_allowed_networks",  # else one network less would not be noticed
    ]
    assert evaluate("postgresql", "postgresql_hba_block") == ""


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
def test_it_refuses_with_the_variables_name(evaluate: Callable[..., Any], variable: str, value: object) -> None:
    passwords = ("postgresql_password", "postgresql_replication_password", "postgresql_primary_password")
    given = {**dict.fromkeys(passwords, "s"), variable: value}
    refusals = evaluate("postgresql", "postgresql_refusals", **given)
    assert [sentence.split(":")[0] for sentence in refusals] == [variable]


def test_a_standby_is_told_its_primarys_names(evaluate: Callable[..., Any]) -> None:
    given = {**FOLLOWS, "postgresql_password": "s", "postgresql_primary_database": "shop"}
    refusals = evaluate("postgresql", "postgresql_refusals", postgresql_primary_user="shop_user", **given)
    assert refusals == [
        "postgresql_database: a standby has the database and the user of its primary: choose shop of shop_user, not "
        "app of app."
    ]
    given |= {"postgresql_database": "shop", "postgresql_user": "shop_user"}
    assert evaluate("postgresql", "postgresql_refusals", postgresql_primary_user="shop_user", **given) == []


def test_replication_needs_its_passwords(evaluate: Callable[..., Any]) -> None:
    named = {"postgresql_standby_networks": ["10.0.0.5/32"], "postgresql_replicate_from": "10.0.0.6"}
    refusals = evaluate("postgresql", "postgresql_refusals", postgresql_password="s", **named)
    assert [sentence.split(":")[0] for sentence in refusals] == [
        "postgresql_replication_password",
        "postgresql_primary_password",
    ]


def test_a_tricky_password_is_fine(evaluate: Callable[..., Any]) -> None:
    assert evaluate("postgresql", "postgresql_refusals", postgresql_password=TRICKY) == []


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


@pytest.mark.parametrize(
    ("waiting", "started", "hba_changed", "restart", "reload"),
    [
        (1, False, False, True, False),
        (0, False, False, False, True),
        (0, True, False, False, False),
        (0, True, True, False, True),
    ],
)
def test_it_is_restarted_or_reloaded_or_neither(
    evaluate: Callable[..., Any], waiting: int, started: bool, hba_changed: bool, restart: bool, reload: bool
) -> None:
    told = {
        "postgresql_answers": {"query_result": [{"waiting_for_restart": waiting}]},
        "postgresql_configured": {"started_units": ["postgresql@15-main.service"] if started else []},
        "postgresql_hba": {"changed": hba_changed},
    }
    assert evaluate("postgresql", "postgresql_must_restart", **told) is restart
    assert evaluate("postgresql", "postgresql_must_reload", **told) is reload


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


@pytest.fixture
def standby(plugin: Callable[[str], ModuleType]) -> ModuleType:
    return plugin("postgresql/library/postgresql_standby.py")


def limits(standby: ModuleType, **other: int) -> dict[str, int]:
    return {**dict.fromkeys(standby.LIMITS, 10), **other}


@pytest.mark.parametrize(
    ("own", "theirs", "version", "named"),
    [
        ({}, {}, 150012, None),
        ({"max_connections": 20}, {}, 150012, None),
        ({}, {"max_connections": 20}, 150012, "max_connections 10, not 20"),
        ({}, {}, 170004, "postgresql_version"),
    ],
)
def test_a_standby_that_could_not_start_is_refused_before(
    standby: ModuleType, own: dict, theirs: dict, version: int, named: str | None
) -> None:
    found = standby.mismatch("15", limits(standby, **own), limits(standby, **theirs), version)
    assert found is None if named is None else named in found


def test_a_position_in_the_wal_is_a_number_of_bytes(standby: ModuleType) -> None:
    assert standby.bytes_of("1/10") - standby.bytes_of("0/FFFFFFFF") == 17


class OldPrimary:
    """A cluster that was replaced: what it is asked, and what is done to it."""

    version = "15"

    def __init__(self, folder: Path, *, streams: bool = False) -> None:
        self.folder, self.streams, self.done = folder, streams, []
        (folder / "PG_VERSION").write_text("15\n")

    def data(self) -> Path:
        return self.folder

    def systemctl(self, action: str) -> None:
        self.done.append(action)

    def ask(self, question: str) -> list[str]:
        if "pg_stat_wal_receiver" in question:
            return ["1" if self.streams else "0"]
        return ["0/10"] if "lsn" in question else ["7000"]

    def last_words(self) -> str:
        return "requested starting point is not in this server's history"

    def is_standby(self) -> bool:
        return True


class NewPrimary:
    follow: ClassVar = {"host": "10.0.0.6", "max_connections": 100}

    def __init__(self, system: str = "7000") -> None:
        self.system = system

    def place(self) -> None: ...

    def identify(self) -> tuple[str, int]:
        return self.system, 32


@pytest.fixture
def successor(plugin: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = plugin("postgresql/library/postgresql_standby.py")
    monkeypatch.setattr(module.pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid=os.getuid(), pw_gid=os.getgid()))
    return module


def test_a_replaced_primary_takes_no_writes_from_then_on(successor: ModuleType, tmp_path: Path) -> None:
    cluster = OldPrimary(tmp_path)
    assert successor.fence(cluster, dry=True) is True
    assert not (tmp_path / "standby.signal").exists()
    assert successor.fence(cluster, dry=False) is True
    assert (tmp_path / "standby.signal").exists()
    assert cluster.done == ["try-restart"]
    assert successor.fence(cluster, dry=False) is False


REJOINS = {"patience_seconds": 0, "replace_data": False, "anew": "forgelab server set db1 ..."}


def test_one_that_lacks_nothing_follows_without_a_copy(successor: ModuleType, tmp_path: Path) -> None:
    result = successor.rejoin(OldPrimary(tmp_path, streams=True), NewPrimary(), REJOINS, dry=False)
    assert result == {"changed": False, "state": "standby", "bytes_behind": 16}


def test_one_with_changes_of_its_own_is_not_replaced_unasked(successor: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(successor.Refused, match="forgelab server set db1"):
        successor.rejoin(OldPrimary(tmp_path), NewPrimary(), REJOINS, dry=False)


def test_only_a_copy_of_it_may_replace_its_data(successor: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(successor.Refused, match="is no copy of this PostgreSQL"):
        successor.rejoin(OldPrimary(tmp_path), NewPrimary("8000"), {**REJOINS, "replace_data": True}, dry=False)
