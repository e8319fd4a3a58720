"""Logins to Redis and Memcached, to closed ports and to silence: which sentence follows from which refusal."""

from __future__ import annotations

import socket

import pytest

from tests.roles.connection_check.helpers import SECRET, memcached_with, redis_with, why


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


def test_what_is_no_redis_is_reported(utils, serve):
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
def test_silence_after_the_call_is_reported_as_such(utils, kind, password, end):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sentence = why(utils, kind, silent.getsockname()[1], password=password)
    assert sentence.endswith(f"takes the connection, but is silent for 1 s{end}")


def test_a_name_that_nobody_knows_is_reported(utils):
    assert why(utils, "redis", 6379, address="no.invalid") == "the name no.invalid cannot be found from this device"
