# Managed by ForgeLab: changes made here are lost.
"""MariaDB and MySQL: dumps as compressed SQL, restored beside the present database, swapped by renaming tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import programs
from .engine import Database, Engine, compressor, decompressor, text
from .mysql_swap import Swap
from .problems import WARNING, Problem, tell

SYSTEM = ("mysql", "sys", "performance_schema", "information_schema")
COMPLETE = b"-- Dump completed"
GRANT = re.compile(r"GRANT (?P<rights>.+) ON (?P<database>`(?:[^`]|``)+`)\.\* TO (?P<account>.+)\Z")

DATABASES = """
SELECT HEX(s.SCHEMA_NAME), COALESCE(SUM(t.DATA_LENGTH + t.INDEX_LENGTH), 0) FROM information_schema.SCHEMATA s
LEFT JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = s.SCHEMA_NAME
GROUP BY s.SCHEMA_NAME ORDER BY s.SCHEMA_NAME"""
ACCOUNTS = """
SELECT HEX(User), HEX(Host) FROM mysql.user
WHERE User NOT IN ('root', 'mysql', 'mariadb.sys', 'debian-sys-maint') AND User NOT LIKE 'mysql.%' AND Host <> ''"""


def identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def pattern(name: str) -> str:
    """A database's name in a grant, where `_` and `%` stand for anything unless a backslash stands before them."""
    return identifier(name.replace("_", "\\_").replace("%", "\\%"))


class MySQL(Engine):
    name, title, suffix = "mysql", "MySQL", ".sql"

    @classmethod
    def is_installed(cls) -> bool:
        return bool(programs.found("mariadbd", "mysqld"))

    def __init__(self) -> None:
        client = programs.found("mariadb", "mysql") or "mysql"
        self.client = [client, "--batch", "--raw", "--skip-column-names", "--default-character-set=utf8mb4"]
        self.dumper = programs.found("mariadb-dump", "mysqldump") or "mysqldump"
        self.suffix = compressor()[1]

    def sql(self, statements: str, database: str = "") -> list[list[str]]:
        """The rows' cells. Names are asked for as HEX(...): they may hold anything."""
        answer = programs.run([*self.client, *([f"--database={database}"] if database else [])], text=statements)
        return [line.split("\t") for line in answer.splitlines()]

    def version(self) -> str:
        try:
            said = self.sql("SELECT VERSION()")[0][0]
        except Problem as problem:
            raise Problem(f"The database server does not answer on its socket: {problem}") from None
        self.title = "MariaDB" if "mariadb" in said.lower() else "MySQL"
        return said.split("-")[0]

    def databases(self) -> list[Database]:
        rows = self.sql(DATABASES)
        found = [Database(bytes.fromhex(name).decode(), int(float(size))) for name, size in rows]
        return [database for database in found if database.name not in SYSTEM]

    def dump(self, database: str) -> Iterator[bytes]:
        broken = self.broken_views(database)
        for view in broken:
            tell(f"The view {view} of {database} refers to what is not there; it is left out of the backup.", WARNING)
        ignored = [f"--ignore-table={database}.{view}" for view in broken]
        argv = self.dump_argv("--quick", "--routines", "--events", "--triggers", *ignored, "--", database)
        return programs.stream(argv, compressor()[0])

    def dump_argv(self, *arguments: str) -> list[str]:
        own = ["--set-gtid-purged=OFF"] if "mariadb" not in self.dumper else []
        return [
            self.dumper, "--single-transaction", "--hex-blob", "--default-character-set=utf8mb4", *own, *arguments
        ]  # fmt: skip

    def broken_views(self, database: str) -> list[str]:
        """Views on tables that were dropped: one of them would make the whole dump fail."""
        views = [name for name, kind in self.objects(database) if kind == "VIEW"]
        if not views:
            return []
        checked = ", ".join(f"{identifier(database)}.{identifier(view)}" for view in views)
        wrong = {table for table, _, kind, *_ in self.sql(f"CHECK TABLE {checked}") if kind.lower() == "error"}
        return [view for view in views if f"{database}.{view}" in wrong]

    def details(self, database: str) -> dict[str, Any]:
        sql = (
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA "  # noqa: S608 - quoted
            f"WHERE SCHEMA_NAME = {literal(database)}"
        )
        rows = self.sql(sql)
        if not rows:
            raise Problem(f"The server has no database {database} any more.")
        return {"charset": rows[0][0], "collation": rows[0][1], "grants": self._grants(database), "roles": []}

    def _accounts(self) -> list[tuple[str, str]]:
        return [(bytes.fromhex(user).decode(), bytes.fromhex(host).decode()) for user, host in self.sql(ACCOUNTS)]

    def _grants(self, database: str) -> list[list[str]]:
        """[rights, account's user, its host, "WITH GRANT OPTION" or ""] of every account with rights on it."""
        found = []
        for user, host in self._accounts():
            for line, *_ in self.sql(f"SHOW GRANTS FOR {literal(user)}@{literal(host)}"):
                match = GRANT.match(line)
                if match and match["database"] in (identifier(database), pattern(database)):
                    option = "WITH GRANT OPTION" if match["account"].endswith("WITH GRANT OPTION") else ""
                    found.append([match["rights"], user, host, option])
        return found

    def check(self, path: Path) -> dict[str, Any]:
        tables, last = 0, b""
        for line in text(path):
            tables += line.startswith(b"CREATE TABLE `")
            last = line or last
        if not last.startswith(COMPLETE):
            raise Problem(f"{path.name} is not complete: its closing line is missing.")
        return {"tables": tables}

    def accounts(self) -> Iterator[bytes]:
        lines = ["-- Accounts and their rights, as `SHOW CREATE USER` and `SHOW GRANTS` tell them"]
        # MySQL's password hashes hold any bytes; MariaDB's are texts.
        readable = "" if "mariadb" in self.dumper else "SET SESSION print_identified_with_as_hex = ON;\n"
        for user, host in self._accounts():
            account = f"{literal(user)}@{literal(host)}"
            for question in (f"SHOW CREATE USER {account}", f"SHOW GRANTS FOR {account}"):
                lines += [f"{line};" for (line, *_) in self.sql(readable + question)]
        lines.append(COMPLETE.decode())
        return iter([programs.compressed("\n".join(lines) + "\n", compressor()[0])])

    def restore_accounts(self, path: Path, needed: list[str]) -> None:
        """Nothing: a database of MariaDB or MySQL has no owner. Rights are granted to the accounts that are there."""

    def refuse(self, target: str) -> None:
        if target.lower() in SYSTEM:
            raise Problem(f"{target} belongs to the server itself. Restore it beside: --into NEWNAME")
        if len(target) > self.longest_name or "/" in target or "\\" in target or target.endswith(" "):
            raise Problem(
                f"{target} cannot be a database's name here: at most {self.longest_name} characters, no slash."
            )

    def data_directory(self) -> str:
        return self.sql("SELECT @@datadir")[0][0]

    def load(self, path: Path, scratch: str, details: dict[str, Any]) -> None:
        self.make(scratch, details)
        with path.open("rb") as handle:
            programs.drain(decompressor(path), [*self.client, f"--database={scratch}"], stdin=handle)
        tables = len([row for row in self.objects(scratch) if row[1] != "VIEW"])
        if tables < details.get("tables", 0):
            raise Problem(f"The backup has {details['tables']} tables, but only {tables} were restored.")

    def make(self, database: str, details: dict[str, Any]) -> None:
        charset = f"CHARACTER SET {details['charset']} COLLATE {details['collation']}"
        self.sql(f"CREATE DATABASE {identifier(database)} {charset}")

    def objects(self, database: str) -> list[tuple[str, str]]:
        """Tables and views with what they are."""
        sql = "SELECT HEX(TABLE_NAME), TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
        return [(bytes.fromhex(name).decode(), kind) for name, kind in self.sql(sql + literal(database))]

    def take_place(self, scratch: str, target: str, kept: str, details: dict[str, Any], workplace: Path) -> None:
        Swap(self, workplace).swap(scratch, target, kept, details)

    def rename(self, scratch: str, target: str, details: dict[str, Any], workplace: Path) -> None:
        self.make(target, details)
        Swap(self, workplace).move(scratch, target)
        self.drop(scratch)
        self._grant(target, details["grants"])

    def _grant(self, database: str, grants: list[list[str]]) -> None:
        """The rights on the original database, on the new one; an account that is not there is reported, not made."""
        there = set(self._accounts())
        for rights, user, host, option in grants:
            if (user, host) not in there:
                tell(f"{user}@{host} had rights on it, but is no account here: make it, and grant them.", WARNING)
                continue
            self.sql(f"GRANT {rights} ON {pattern(database)}.* TO {literal(user)}@{literal(host)} {option}")

    def drop(self, database: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {identifier(database)}")
