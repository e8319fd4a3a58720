from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.roles.helpers import exact

TRICKY = "{{ 7*7 }} `;touch pwned;` $(x) \"'\\ %d #ü日本"


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


def hand_over(folder: Path, render: Callable[..., str], persistence: str) -> None:
    """Run the real script on `folder`, with a program that stands in for Redis and writes the snapshot."""
    for name, text in (("redis-server", "echo $* > asked; sleep 0.3"), ("redis-cli", CLIENT)):
        program = folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    (folder / "redis.conf").write_text("dir /var/lib/redis\n")
    script = render("redis", "redis-data.sh.j2", redis_persistence=persistence).replace("cd /var/lib/redis", "cd data")
    script = script.replace("/etc/redis/forgelab.d", str(folder / "own")).replace(
        "/etc/redis/redis.conf", "../redis.conf"
    )
    environment = {"PATH": f"{folder}/bin:/usr/bin:/bin"}
    subprocess.run(["sh", "-c", script], cwd=folder, env=environment, check=True)


CLIENT = """case "$3" in PING) echo PONG;; SAVE) echo journal > dump.rdb; echo OK;; esac"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def put(data: Path, **files: str) -> None:
    for name, text in files.items():
        (data / name.replace("_", ".")).write_text(text)


def what_is_in(data: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(data.iterdir()) if path.is_file() and path.name != "asked"}


@pytest.mark.parametrize("persistence", ["aof", "both"])
def test_a_journal_begins_with_the_snapshot(data: Path, render: Callable[..., str], persistence: str) -> None:
    put(data, dump_rdb="all")
    hand_over(data.parent, render, persistence)
    assert what_is_in(data) == {"dump.rdb": "all", "appendonly.aof": "all"}


def test_an_existing_journal_is_left_alone(data: Path, render: Callable[..., str]) -> None:
    put(data, dump_rdb="old", appendonly_aof="new")
    hand_over(data.parent, render, "both")
    assert what_is_in(data) == {"dump.rdb": "old", "appendonly.aof": "new"}


def test_a_journal_becomes_a_snapshot_and_is_kept_aside(data: Path, render: Callable[..., str]) -> None:
    put(data, dump_rdb="old")
    (data / "appendonlydir").mkdir()
    hand_over(data.parent, render, "rdb")
    assert what_is_in(data) == {"dump.rdb": "journal\n"}
    assert (data / "appendonlydir.kept").is_dir()
    assert not (data / "appendonlydir").exists()
    assert "--port 0" in (data / "asked").read_text()


def test_without_persistence_the_snapshot_is_not_read_again(data: Path, render: Callable[..., str]) -> None:
    put(data, dump_rdb="all")
    hand_over(data.parent, render, "none")
    assert what_is_in(data) == {"dump.rdb.kept": "all"}


def test_with_snapshots_only_nothing_moves(data: Path, render: Callable[..., str]) -> None:
    put(data, dump_rdb="all")
    hand_over(data.parent, render, "rdb")
    assert what_is_in(data) == {"dump.rdb": "all"}


def test_data_that_somebodys_own_settings_decide_about_are_left_alone(data: Path, render: Callable[..., str]) -> None:
    put(data, dump_rdb="all")
    (data.parent / "own").mkdir()
    (data.parent / "own/mine.conf").write_text("# mine\n  appendonly yes\n")
    hand_over(data.parent, render, "none")
    assert what_is_in(data) == {"dump.rdb": "all"}


def test_it_listens_on_this_device_only_until_others_are_named(evaluate: Callable[..., Any]) -> None:
    assert evaluate("redis", "redis_addresses") == ["127.0.0.1", "-::1"]
    assert evaluate("redis", "redis_addresses", redis_allowed_networks=["10.0.0.0/8"]) == ["*", "-::*"]
    chosen = {"redis_bind_addresses": ["127.0.0.1", "10.0.0.5"], "redis_allowed_networks": ["10.0.0.0/8"]}
    assert evaluate("redis", "redis_addresses", **chosen) == ["127.0.0.1", "10.0.0.5"]


@pytest.mark.parametrize(
    "variables",
    [
        {"redis_allowed_networks": ["192.168.1.0/24"]},
        {"redis_bind_addresses": ["*"]},
        {"redis_bind_addresses": ["127.0.0.1", "-192.168.1.20"]},
        {"redis_bind_addresses": ["::"]},
    ],
)
def test_others_connect_with_a_password_only(refusals: Callable[..., list[str]], variables: dict[str, Any]) -> None:
    found = refusals("redis", **variables)
    assert found == ["redis_password: is needed as soon as other devices can connect; give it a long random one."]
    assert refusals("redis", redis_password="x", **variables) == []
    assert refusals("redis", redis_mode="client", **variables) == []


def test_a_client_has_the_tools_and_no_service(evaluate: Callable[..., Any]) -> None:
    names = ("packages", "services", "ports", "report")
    found = {name: evaluate("redis", f"redis_{name}", redis_mode="client") for name in names}
    assert (found["packages"], found["services"], found["ports"]) == (["redis-tools"], [], [])
    assert found["report"]["command"] == ["redis-cli", "--version"]
    assert re.search(found["report"]["pattern"], "redis-cli 7.0.15")
    assert evaluate("redis", "redis_report")["command"] == ["redis-server", "--version"]
    assert re.search(found["report"]["pattern"], "Redis server v=8.0.2 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64")


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
def test_it_refuses_with_the_variables_name(refusals: Callable[..., list[str]], variable: str, value: object) -> None:
    found = refusals("redis", **{variable: value})
    assert found
    assert all(sentence.startswith(variable) for sentence in found)


def test_the_defaults_and_tricky_passwords_are_fine(refusals: Callable[..., list[str]]) -> None:
    assert refusals("redis", redis_password=TRICKY) == []


def test_the_checks_are_commands_a_shell_splits(evaluate: Callable[..., Any]) -> None:
    checks = [shlex.split(check) for check in evaluate("redis", "redis_checks")]
    assert [check[0] for check in checks] == ["sh", "sh", "python3"]
    assert checks[2][3:] == ["127.0.0.1"]
