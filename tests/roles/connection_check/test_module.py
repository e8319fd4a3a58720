"""The module connection_check: every failure at once, patience with a server that starts, and the clients it needs."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from ansible.template import trust_as_template

from tests.roles.connection_check.helpers import SECRET, redis_with, words
from tests.roles.helpers import load_plugin, templar


@pytest.fixture(scope="module")
def module(utils: ModuleType) -> ModuleType:
    return load_plugin("modules.connection_check")


def run(module: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: Any, **options: Any) -> dict[str, Any]:
    """The module's answer, called as Ansible does: options on the standard input."""
    from ansible.module_utils import basic
    from ansible.module_utils.testing import patch_module_args

    with patch_module_args(options), pytest.raises(SystemExit):
        module.main()
    assert basic  # the module under test uses the same one
    return json.loads(capsys.readouterr().out)


def test_every_failure_is_reported_at_once_with_what_to_do(module, serve, capsys, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0)
    good, bad = serve(redis_with(SECRET)), serve(redis_with("other"))
    place = {"kind": "redis", "address": "127.0.0.1"}
    answer = run(
        module,
        capsys,
        monkeypatch,
        connections=[
            {"name": "good", "port": good, **place},
            {"name": "bad", "port": bad, "remedy": "Do this.", **place},
            {"name": "strange", "port": 1, **place, "kind": ""},
            {"name": "shut", "port": 1, **place},
        ],
        passwords={"good": SECRET, "bad": SECRET},
    )
    assert answer["failed"]
    assert answer["usable"] == ["good"]
    assert answer["msg"] == (
        f"bad: Redis at 127.0.0.1 port {bad} does not take the password. Do this. strange: it is of the kind (none), "
        "which cannot be logged in to; known are postgresql, mysql, mariadb, redis, memcached. shut: 127.0.0.1 port 1 "
        "refuses the connection: nothing listens there for other devices. Allow 127.0.0.1 there, then run this again."
    )
    assert SECRET not in json.dumps(answer, ensure_ascii=False)


def test_a_login_changes_nothing_and_is_tried_in_check_mode_too(module, serve, capsys, monkeypatch):
    asked = []
    answer = redis_with(SECRET)
    port = serve(lambda data: asked.append(words(data)[0]) or answer(data))
    connection = {"name": "cache", "kind": "redis", "address": "127.0.0.1", "port": port}
    found = run(
        module, capsys, monkeypatch, connections=[connection], passwords={"cache": SECRET}, _ansible_check_mode=True
    )
    assert (found["changed"], found["usable"]) == (False, ["cache"])
    assert asked == ["AUTH", "PING"]


def test_a_server_that_starts_again_is_waited_for(module, utils, serve, monkeypatch):
    answers = [b"-LOADING Redis is loading the dataset in memory\r\n", b"+PONG\r\n"]
    port = serve(lambda data: answers.pop(0))
    assert module.prove(utils.Peer("cache", "redis", "127.0.0.1", port), 1, False) is None
    assert answers == []


def test_a_client_that_is_missing_is_reported_except_in_a_plan(module, utils, serve, monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    peer = utils.Peer("database", "postgresql", "127.0.0.1", serve(lambda data: b""))
    assert "psycopg2 is not installed" in str(module.prove(peer, 1, False))
    assert module.prove(peer, 1, True) is None


@pytest.mark.parametrize(
    ("kinds", "packages"),
    [
        ([], []),
        (["redis", "memcached"], []),
        (["postgresql", "redis"], ["python3-psycopg2"]),
        (["mariadb"], ["python3-pymysql"]),
        (["mysql", "postgresql"], ["python3-psycopg2", "python3-pymysql", "python3-cryptography"]),
    ],
)
def test_only_the_clients_that_are_needed_are_installed(kinds, packages):
    values = templar("connection_check", connection_check_connections=[{"kind": kind} for kind in kinds])
    assert values.template(trust_as_template("{{ connection_check_packages }}")) == packages
