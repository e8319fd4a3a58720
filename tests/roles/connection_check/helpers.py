"""Servers with as much of a protocol as a login needs, and the reason that a login gives."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import ModuleType
from typing import Any

SECRET = "s3cret 'ü"


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
