"""Logins to PostgreSQL, MySQL and MariaDB: which sentence follows from which refusal."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tests.roles.connection_check.helpers import SECRET, why


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
