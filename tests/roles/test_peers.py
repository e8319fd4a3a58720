"""Role peers: which sentence follows from which refusal, against small servers of the test's own."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible.template import trust_as_template

from .conftest import ROLES, load_plugin, templar

SECRET = "s3cret 'ü"


@pytest.fixture(scope="module")
def utils(_plugins: None) -> ModuleType:
    return load_plugin(ROLES / "peers/module_utils/forgelab_peers.py", "ansible.module_utils.forgelab_peers")


@pytest.fixture(scope="module")
def module(utils: ModuleType) -> ModuleType:
    return load_plugin(ROLES / "peers/library/peers.py", "role_peers_library_peers")


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[bytes], bytes]], int]]:
    """A server on loopback that answers whatever it reads; gives its port."""
    sockets = []

    def start(answer: Callable[[bytes], bytes]) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def work() -> None:
            while True:
                try:
                    link, _ = listening.accept()
                except OSError:
                    return
                with link:
                    while data := link.recv(4000):
                        link.sendall(answer(data))

        threading.Thread(target=work, daemon=True).start()
        return listening.getsockname()[1]

    yield start
    for each in sockets:
        each.close()


def words(data: bytes) -> list[str]:
    """The words of a command in Redis' protocol."""
    return [part.decode() for part in data.split(b"\r\n")[2::2]]


def redis_with(password: str) -> Callable[[bytes], bytes]:
    """As much of Redis as a login needs; one connection at a time."""
    known: dict[str, bool] = {}

    def answer(data: bytes) -> bytes:
        said = words(data)
        if said[0] == "AUTH":
            if not password:
                return b"-ERR AUTH <password> called without any password configured for the default user.\r\n"
            known["in"] = said[-1] == password
            return b"+OK\r\n" if known["in"] else b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        return b"+PONG\r\n" if known.get("in") or not password else b"-NOAUTH Authentication required.\r\n"

    return answer


def memcached_with(password: str) -> Callable[[bytes], bytes]:
    """Memcached: with a password its binary protocol alone, else the one of lines."""

    def answer(data: bytes) -> bytes:
        if data[0] != 0x80:
            return b"" if password else b"VERSION 1.6.18\r\n"
        if not password:
            return struct.pack(">BBHBBHIIQ", 0x81, 0x21, 0, 0, 0, 0x81, 0, 0, 0)
        _, user, given = data[24 + 5 :].split(b"\0")
        status = 0 if (user, given) == (b"laravel", password.encode()) else 0x20
        return struct.pack(">BBHBBHIIQ", 0x81, 0x21, 0, 0, 0, status, 0, 0, 0)

    return answer


def why(utils: ModuleType, kind: str, port: int, **more: Any) -> str:
    """The reason that a login gives; empty when it works."""
    peer = utils.Peer("the thing", kind, more.pop("address", "127.0.0.1"), port, **more)
    try:
        utils.LOGINS[kind](peer, 1)
    except utils.Unusable as problem:
        return str(problem)
    return ""


def test_redis_takes_a_password_of_any_characters(utils, serve):
    assert why(utils, "redis", serve(redis_with(SECRET)), password=SECRET) == ""
    assert why(utils, "redis", serve(redis_with("")), password="") == ""


@pytest.mark.parametrize(
    ("known", "given", "sentence"),
    [
        (SECRET, "other", "does not take the password"),
        (SECRET, "", "wants a password, and none is known"),
        ("", SECRET, "has no password, but one is expected"),
    ],
)
def test_redis_says_what_is_wrong_with_the_password(utils, serve, known, given, sentence):
    port = serve(redis_with(known))
    assert why(utils, "redis", port, password=given) == f"Redis at 127.0.0.1 port {port} {sentence}"


def test_redis_in_protected_mode_lets_nobody_in(utils, serve):
    port = serve(lambda data: b"-DENIED Redis is running in protected mode\r\n")
    sentence = f"Redis at 127.0.0.1 port {port} does not let this device (127.0.0.1) in"
    assert why(utils, "redis", port) == sentence


def test_what_is_no_redis_is_told(utils, serve):
    assert "is not Redis, or not ready: HTTP/1.1 400" in why(utils, "redis", serve(lambda data: b"HTTP/1.1 400\r\n"))


def test_memcached_takes_user_and_password(utils, serve):
    login = {"user": "laravel", "password": SECRET}
    assert why(utils, "memcached", serve(memcached_with(SECRET)), **login) == ""
    assert why(utils, "memcached", serve(memcached_with(""))) == ""
    assert "does not take the password of the user laravel" in why(
        utils, "memcached", serve(memcached_with("other")), **login
    )
    assert "has no password, but one is expected" in why(utils, "memcached", serve(memcached_with("")), **login)
    assert "is not Memcached" in why(utils, "memcached", serve(lambda data: b"ERROR\r\n"))


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_a_closed_port_refuses(utils, kind):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    expected = f"127.0.0.1 port {port} refuses the connection: nothing listens there for other devices"
    assert why(utils, kind, port) == expected


def test_no_answer_to_the_call_is_a_firewall_or_a_device_that_is_off(utils):
    peer = utils.Peer("cache", "redis", "10.0.0.7", 6379)
    problem = utils.unreachable(peer, TimeoutError("timed out"), 5)
    assert str(problem) == "10.0.0.7 port 6379 does not answer within 5 s: a firewall keeps it shut, or it is off"
    assert problem.shut


@pytest.mark.parametrize(
    ("kind", "password", "end"),
    [
        ("memcached", "", ": it may want a password, and none is known"),
        ("memcached", SECRET, ""),
        ("redis", SECRET, ""),
    ],
)
def test_silence_after_the_call_is_told_as_such(utils, kind, password, end):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sentence = why(utils, kind, silent.getsockname()[1], password=password)
    assert sentence.endswith(f"takes the connection, but is silent for 1 s{end}")


def test_a_name_that_nobody_knows_is_told(utils):
    assert why(utils, "redis", 6379, address="no.invalid") == "the name no.invalid cannot be found from this device"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('FATAL:  password authentication failed for user "shop"', "does not take the password of the user shop"),
        ('FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "shop"', "does not let this device (127.0.0.1) in"),
        ('FATAL:  database "shop_db" does not exist', "has no database shop_db"),
        ('FATAL:  permission denied for database "shop_db"', "has no right to use the database shop_db"),
        ("FATAL:  sorry, too many clients already", "refuses the login: sorry, too many clients already"),
        ("connection to server failed: Connection refused", "refuses the connection: nothing listens there"),
        ("connection failed: timeout expired", "does not answer within 1 s"),
        ('could not translate host name "x" to address', "cannot be found from this device"),
    ],
)
def test_postgresqls_refusals_become_sentences(utils, monkeypatch, text, sentence):
    class OperationalError(Exception):
        pass

    def connect(**given: Any) -> None:
        assert given["password"] == SECRET
        raise OperationalError(text)

    monkeypatch.setitem(sys.modules, "psycopg2", SimpleNamespace(connect=connect, OperationalError=OperationalError))
    found = why(utils, "postgresql", 5432, user="shop", database="shop_db", password=SECRET)
    assert sentence in found
    assert "127.0.0.1" in found


class _Cursor:
    """A cursor whose every answer is one value."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __enter__(self) -> _Cursor:
        return self

    def __exit__(self, *unused: object) -> None:
        pass

    def execute(self, query: str) -> None:
        pass

    def fetchone(self) -> tuple[object]:
        return (self.value,)


@pytest.mark.parametrize(("only_reads", "sentence"), [(False, ""), (True, "is a standby, which cannot be written to")])
def test_a_standby_is_no_database_to_work_with(utils, monkeypatch, only_reads, sentence):
    connection = SimpleNamespace(cursor=lambda: _Cursor(only_reads), close=lambda: None)
    driver = SimpleNamespace(connect=lambda **given: connection, OperationalError=RuntimeError)
    monkeypatch.setitem(sys.modules, "psycopg2", driver)
    assert sentence in why(utils, "postgresql", 5432, user="shop")
    assert bool(why(utils, "postgresql", 5432, user="shop")) is only_reads


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            1045,
            "does not let this device (127.0.0.1) in as shop: the password is another one, or that user may not come",
        ),
        (1130, "does not let this device (127.0.0.1) in"),
        (1049, "has no database shop_db"),
        (1044, "has no right to use the database shop_db"),
        (2003, "refuses the connection"),
        (1040, "refuses the login: Connection refused by rule"),
    ],
)
def test_mysqls_refusals_become_sentences(utils, monkeypatch, code, sentence):
    class Error(Exception):
        pass

    def connect(**given: Any) -> None:
        text = "Connection refused" if code == 2003 else "Connection refused by rule"
        raise Error(code, text)

    monkeypatch.setitem(sys.modules, "pymysql", SimpleNamespace(connect=connect, err=SimpleNamespace(Error=Error)))
    found = why(utils, "mariadb", 3306, user="shop", database="shop_db", password=SECRET)
    assert sentence in found
    assert "MariaDB at 127.0.0.1 port 3306" in found or code in (1044, 2003)


def run(module: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: Any, **options: Any) -> dict[str, Any]:
    """The module's answer, called as Ansible does: options on the standard input."""
    from ansible.module_utils import basic
    from ansible.module_utils.testing import patch_module_args

    with patch_module_args(options), pytest.raises(SystemExit):
        module.main()
    assert basic  # the module under test uses the same one
    return json.loads(capsys.readouterr().out)


def test_every_failure_is_told_at_once_with_what_to_do(module, serve, capsys, monkeypatch):
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


def test_a_client_that_is_missing_is_told_except_in_a_plan(module, utils, serve, monkeypatch):
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
    values = templar("peers", peers_connections=[{"kind": kind} for kind in kinds])
    assert values.template(trust_as_template("{{ peers_packages }}")) == packages
