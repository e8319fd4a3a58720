from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.template import trust_as_template

from .helpers import ROLES, templar

TRICKY = "{{ 7*7 }} `;touch pwned;` $(x) \"'\\ %d #ü日本"


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_it_begins_on_this_device_alone(render: Callable[..., str]) -> None:
    assert lines(render("memcached", "memcached.conf.j2")) == [
        "-d",
        "-u memcache",
        "-P /var/run/memcached/memcached.pid",
        "-l 127.0.0.1",
        "-p 11211",
        "-U 0",
        "-m 204",
        "-I 1m",
        "-c 1024",
        "-t 4",
    ]


def test_others_log_in(render: Callable[..., str]) -> None:
    networks = ["192.168.1.0/24", "fd00::/8"]
    text = render("memcached", "memcached.conf.j2", memcached_allowed_networks=networks, memcached_password="x")
    assert [line for line in lines(text) if line[:2] in ("-l", "-S")] == ["-l 0.0.0.0", "-l ::", "-S"]


def test_addresses_that_were_chosen_are_kept(evaluate: Callable[..., Any]) -> None:
    chosen = {"memcached_listen_addresses": ["10.0.0.5"], "memcached_allowed_networks": ["10.0.0.0/8"]}
    assert evaluate("memcached", "memcached_addresses", **chosen) == ["10.0.0.5"]
    assert evaluate("memcached", "memcached_addresses", memcached_allowed_networks=["10.0.0.0/8"]) == ["0.0.0.0"]


@pytest.mark.parametrize(
    "variables",
    [{"memcached_allowed_networks": ["192.168.1.0/24"]}, {"memcached_listen_addresses": ["127.0.0.1", "0.0.0.0"]}],
)
def test_others_connect_with_a_password_only(refusals: Callable[..., list[str]], variables: dict[str, Any]) -> None:
    found = refusals("memcached", **variables)
    assert found == ["memcached_password: is needed as soon as other devices can connect; give it a long random one."]
    assert refusals("memcached", memcached_password=TRICKY, **variables) == []


def test_logging_in_needs_two_packages_more(evaluate: Callable[..., Any]) -> None:
    assert evaluate("memcached", "memcached_packages") == ["memcached"]
    found = evaluate("memcached", "memcached_packages", memcached_password="x")
    assert found == ["memcached", "libsasl2-modules", "sasl2-bin"]


def test_the_password_stays_out_of_the_files_whose_diff_is_shown(render: Callable[..., str]) -> None:
    for template in ("memcached.conf.j2", "sasl.conf.j2", "memcached-password.sh.j2", "service.conf.j2"):
        assert TRICKY not in render("memcached", template, memcached_password=TRICKY)


def test_the_password_reaches_the_file_of_users_as_itself(tmp_path: Path, render: Callable[..., str]) -> None:
    source = trust_as_template((ROLES / "memcached/templates/password.j2").read_text())
    options = {"escape_backslashes": False, "overrides": {"trim_blocks": True}}
    kept = str(templar("memcached", memcached_password=TRICKY).template(source, **options))
    (tmp_path / "password").write_text(kept)
    script = render("memcached", "memcached-password.sh.j2", memcached_password_file=str(tmp_path / "password"))
    script = script.replace("/run/memcached-sasl", str(tmp_path)).replace("chown memcache:", "true")
    (tmp_path / "saslpasswd2").write_text('#!/bin/sh\ncat > "$4"; echo "$@" > asked\n')
    (tmp_path / "saslpasswd2").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "users").read_text() == TRICKY
    assert (tmp_path / "asked").read_text().split()[-3:] == ["-a", "memcached", "laravel"]


def test_memory_has_a_floor_and_can_be_named(evaluate: Callable[..., Any]) -> None:
    assert evaluate("memcached", "memcached_item_memory_mb", ansible_facts={"memtotal_mb": 128}) == 32
    assert evaluate("memcached", "memcached_item_memory_mb", memcached_memory_mb=512) == 512


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("memcached_password", "a\nb"),
        ("memcached_password", "x" * 256),
        ("memcached_user", "a b"),
        ("memcached_user", "{{ 7*7 }}"),
        ("memcached_user", "-x"),
        ("memcached_listen_addresses", ["127.0.0.1\n-S"]),
        ("memcached_listen_addresses", ["{{ 7*7 }}"]),
        ("memcached_listen_addresses", ["$(id)"]),
        ("memcached_listen_addresses", []),
        ("memcached_port", 0),
        ("memcached_memory_share", 0),
        ("memcached_memory_mb", 4),
        ("memcached_max_item_mb", 0),
        ("memcached_max_item_mb", 103),
        ("memcached_max_connections", 1),
        ("memcached_threads", 0),
    ],
)
def test_it_refuses_with_the_variables_name(refusals: Callable[..., list[str]], variable: str, value: object) -> None:
    found = refusals("memcached", **{variable: value})
    assert found
    assert all(sentence.startswith(variable) for sentence in found)


def test_the_largest_item_may_fill_half_of_the_memory(refusals: Callable[..., list[str]]) -> None:
    assert refusals("memcached", memcached_max_item_mb=102) == []
    assert refusals("memcached", memcached_memory_mb=4096, memcached_max_item_mb=1024) == []
    assert refusals("memcached", memcached_memory_mb=4096, memcached_max_item_mb=1025) != []


def test_the_checks_are_commands_a_shell_splits(evaluate: Callable[..., Any]) -> None:
    checks = [shlex.split(check) for check in evaluate("memcached", "memcached_checks")]
    assert [check[0] for check in checks] == ["python3", "python3"]
    assert checks[0][3:] == ["127.0.0.1"]
    for check in checks:
        compile(check[2], "check", "exec")
