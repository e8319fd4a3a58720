# Copyright: ForgeLab contributors. MIT license.
"""Logging in to databases and caches, and saying in one sentence why it did not work."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

TITLES = {
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "redis": "Redis",
    "memcached": "Memcached",
}
REQUEST, RESPONSE, HEADER = 0x80, 0x81, 24  # Memcached's binary protocol: first bytes, and length of a header
SASL_LOGIN, UNKNOWN_COMMAND = 0x21, 0x81
DRIVERS = {"postgresql": "psycopg2", "mysql": "pymysql", "mariadb": "pymysql"}


@dataclass(frozen=True)
class Peer:
    """Something to log in to."""

    name: str
    kind: str
    address: str
    port: int
    user: str = ""
    database: str = ""
    password: str = ""

    @property
    def place(self) -> str:
        """`10.0.0.7 port 5432`, the way to name it in a sentence."""
        return f"{self.address} port {self.port}"


class Unusable(Exception):
    """Why a peer cannot be used, as the end of a sentence that began with its name.

    `soon` when waiting may help, `shut` when it is this device that is not let in.
    """

    def __init__(self, why: str, *, soon: bool = False, shut: bool = False) -> None:
        super().__init__(why)
        self.soon, self.shut = soon, shut


def own_address(peer: Peer) -> str:
    """The address this device would come from, empty when there is no way there. Sends nothing."""
    with contextlib.suppress(OSError):
        family, kind, protocol, _, where = socket.getaddrinfo(peer.address, peer.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(where)
            return probe.getsockname()[0]
    return ""


def unreachable(peer: Peer, problem: Exception | str, seconds: int) -> Unusable:
    """The network's own refusals, from an OSError or from a client library's text."""
    text = str(problem)
    if isinstance(problem, ConnectionRefusedError) or "Connection refused" in text:
        return Unusable(
            f"{peer.place} refuses the connection: nothing listens there for other devices", soon=True, shut=True
        )
    if isinstance(problem, TimeoutError) or re.search(r"time(d)? ?out", text):
        why = f"{peer.place} does not answer within {seconds} s: a firewall keeps it shut, or it is off"
        return Unusable(why, shut=True)
    if isinstance(problem, socket.gaierror) or re.search(r"translate host name|Name or service|name resolution", text):
        return Unusable(f"the name {peer.address} cannot be found from this device")
    if re.search(r"No route to host|unreachable", text):
        return Unusable(f"there is no way from this device to {peer.address}")
    return Unusable(f"{peer.place} ends the connection: {text.strip()}", soon="starting up" in text)


def silent(peer: Peer, seconds: int) -> Unusable:
    """It takes the connection, as Memcached does that has a password and is spoken to without."""
    more = ": it may want a password, and none is known" if not peer.password else ""
    return Unusable(f"{TITLES[peer.kind]} at {peer.place} takes the connection, but is silent for {seconds} s{more}")


def not_let_in(peer: Peer, more: str = "") -> Unusable:
    """This device comes from an address that the other one does not know."""
    here = own_address(peer)
    known = f" ({here})" if here else ""
    return Unusable(f"{TITLES[peer.kind]} at {peer.place} does not let this device{known} in{more}", shut=True)


def postgresql(peer: Peer, seconds: int) -> None:
    """Log in and ask whether it can be written to."""
    import psycopg2  # only where it is needed is it installed

    try:
        connection = psycopg2.connect(
            host=peer.address,
            port=peer.port,
            dbname=peer.database or peer.user,
            user=peer.user,
            password=peer.password,
            connect_timeout=max(2, seconds),
            options=f"-c statement_timeout={seconds * 1000}",
            application_name="forgelab",
        )
    except psycopg2.OperationalError as problem:
        raise _postgresql_refusal(peer, str(problem), seconds) from None
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        if cursor.fetchone()[0]:
            raise Unusable(f"PostgreSQL at {peer.place} is a standby, which cannot be written to: name its primary")


def _postgresql_refusal(peer: Peer, text: str, seconds: int) -> Unusable:
    if "no pg_hba.conf entry" in text or "pg_hba.conf rejects" in text:
        return not_let_in(peer)
    if "authentication failed" in text or "no password supplied" in text:
        return Unusable(f"PostgreSQL at {peer.place} does not take the password of the user {peer.user}")
    if re.search(r'database ".*" does not exist', text):
        return Unusable(f"PostgreSQL at {peer.place} has no database {peer.database}")
    if "permission denied" in text or "not permitted to log in" in text:
        return Unusable(f"the user {peer.user} has no right to use the database {peer.database} at {peer.place}")
    if "FATAL" in text and "starting up" not in text:
        return Unusable(f"PostgreSQL at {peer.place} refuses the login: {_last(text)}")
    return unreachable(peer, text, seconds)


def _last(text: str) -> str:
    return text.strip().rpartition("FATAL:")[2].strip().splitlines()[0]


def mysql(peer: Peer, seconds: int) -> None:
    """The same for MySQL and MariaDB."""
    import pymysql

    try:
        connection = pymysql.connect(
            host=peer.address,
            port=peer.port,
            user=peer.user,
            password=peer.password,
            database=peer.database or None,
            connect_timeout=seconds,
            read_timeout=seconds,
            write_timeout=seconds,
        )
    except (pymysql.err.Error, RuntimeError) as problem:
        raise _mysql_refusal(peer, problem, seconds) from None
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT @@global.read_only")
        if int(cursor.fetchone()[0]):
            title = TITLES[peer.kind]
            raise Unusable(f"{title} at {peer.place} is a replica, which cannot be written to: name its primary")


def _mysql_refusal(peer: Peer, problem: Exception, seconds: int) -> Unusable:
    code = problem.args[0] if problem.args and isinstance(problem.args[0], int) else 0
    title = TITLES[peer.kind]
    if code == 1130:
        return not_let_in(peer)
    if code in (1045, 1698):
        return not_let_in(peer, f" as {peer.user}: the password is another one, or that user may not come from here")
    if code == 1049:
        return Unusable(f"{title} at {peer.place} has no database {peer.database}")
    if code in (1044, 1142):
        return Unusable(f"the user {peer.user} has no right to use the database {peer.database} at {peer.place}")
    if code == 2003:
        return unreachable(peer, getattr(problem, "original_exception", None) or str(problem), seconds)
    return Unusable(f"{title} at {peer.place} refuses the login: {problem.args[-1] if problem.args else problem}")


@contextlib.contextmanager
def _conversation(peer: Peer, seconds: int) -> Iterator[Callable[[bytes], str]]:
    """Sends a line, gives the first line of the answer."""
    try:
        with socket.create_connection((peer.address, peer.port), timeout=seconds) as link:
            answers = link.makefile("rb")

            def say(line: bytes) -> str:
                link.sendall(line)
                try:
                    return answers.readline(2000).decode("utf-8", "replace").strip()
                except TimeoutError:
                    raise silent(peer, seconds) from None

            yield say
    except OSError as problem:
        raise unreachable(peer, problem, seconds) from None


def _resp(*words: str) -> bytes:
    """A command in Redis' protocol, in which any byte may stand in a word."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def redis(peer: Peer, seconds: int) -> None:
    """AUTH, SELECT where a database is named, PING."""
    with _conversation(peer, seconds) as say:
        if peer.password:
            login = ["AUTH", *([peer.user] if peer.user else []), peer.password]
            _redis_answer(peer, say(_resp(*login)), "+OK")
        if peer.database:
            _redis_answer(peer, say(_resp("SELECT", peer.database)), "+OK")
        _redis_answer(peer, say(_resp("PING")), "+PONG")


def _redis_answer(peer: Peer, answer: str, wanted: str) -> None:
    if answer == wanted:
        return
    if "DENIED" in answer:
        raise not_let_in(peer)
    if re.match(r"-(WRONGPASS|ERR invalid password)", answer):
        raise Unusable(f"Redis at {peer.place} does not take the password")
    if re.match(r"-ERR.*(no password is set|without any password)", answer):
        raise Unusable(f"Redis at {peer.place} has no password, but one is expected")
    if answer.startswith("-NOAUTH"):
        raise Unusable(f"Redis at {peer.place} wants a password, and none is known")
    if answer.startswith("-NOPERM"):
        raise Unusable(f"the user of Redis at {peer.place} has no right to use it")
    if not answer:
        raise Unusable(f"Redis at {peer.place} ends the connection without an answer", soon=True)
    raise Unusable(f"what answers at {peer.place} is not Redis, or not ready: {answer[:100]}", soon="LOADING" in answer)


def memcached(peer: Peer, seconds: int) -> None:
    """With a password a SASL login, for which Memcached speaks its binary protocol alone; without, its version."""
    if peer.password:
        _memcached_login(peer, seconds)
        return
    with _conversation(peer, seconds) as say:
        answer = say(b"version\r\n")
    if not answer.startswith("VERSION"):
        what = "wants a password, or is not Memcached" if not answer else f"is not Memcached: {answer[:100]}"
        raise Unusable(f"what answers at {peer.place} {what}")


def _answer(link: socket.socket, peer: Peer, seconds: int) -> bytes:
    try:
        return link.makefile("rb").read(HEADER)
    except TimeoutError:
        raise silent(peer, seconds) from None


def _memcached_login(peer: Peer, seconds: int) -> None:
    key, login = b"PLAIN", f"\0{peer.user}\0{peer.password}".encode()
    header = struct.pack(">BBHBBHIIQ", REQUEST, SASL_LOGIN, len(key), 0, 0, 0, len(key) + len(login), 0, 0)
    try:
        with socket.create_connection((peer.address, peer.port), timeout=seconds) as link:
            link.sendall(header + key + login)
            answer = _answer(link, peer, seconds)
    except OSError as problem:
        raise unreachable(peer, problem, seconds) from None
    if len(answer) < HEADER or answer[0] != RESPONSE:
        raise Unusable(f"what answers at {peer.place} is not Memcached, or one without passwords")
    status = int.from_bytes(answer[6:8], "big")
    if status == UNKNOWN_COMMAND:
        raise Unusable(f"Memcached at {peer.place} has no password, but one is expected")
    if status:
        raise Unusable(f"Memcached at {peer.place} does not take the password of the user {peer.user}")


def reachable(peer: Peer, seconds: int) -> None:
    """Only that something listens: for a plan, while the client is not installed yet."""
    with _conversation(peer, seconds):
        return


LOGINS: dict[str, Callable[[Peer, int], None]] = {
    "postgresql": postgresql,
    "mysql": mysql,
    "mariadb": mysql,
    "redis": redis,
    "memcached": memcached,
}
