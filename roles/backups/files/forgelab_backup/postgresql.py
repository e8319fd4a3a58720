# Managed by ForgeLab: changes made here are lost.
"""PostgreSQL: dumps in its custom format, restored beside the present database, swapped in one transaction."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import programs
from .engine import Database, Engine, compressor, text
from .problems import Problem

RENAME_TRIES = 3
LOCK_WAIT = 30 * 60 * 1000  # milliseconds that a dump waits for somebody's lock on a table
# Not runuser: it writes two lines to the journal for every call.
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--")

DATABASES = """
SELECT d.datname AS name, pg_database_size(d.oid) AS bytes FROM pg_database d
WHERE d.datallowconn AND NOT d.datistemplate ORDER BY 1"""
OWN_TABLES = """
SELECT count(*) AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"""
TABLES = OWN_TABLES.replace("('r', 'p', 'v', 'm', 'S', 'f')", "('r', 'p')")
DETAILS = """
SELECT pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding, to_jsonb(d) AS row,
  shobj_description(d.oid, 'pg_database') AS comment,
  (SELECT json_agg(json_build_array(coalesce(pg_get_userbyid(nullif(a.grantee, 0)), ''), a.privilege_type,
    a.is_grantable)) FROM aclexplode(d.datacl) a) AS rights,
  (SELECT json_agg(json_build_array(coalesce(pg_get_userbyid(nullif(s.setrole, 0)), ''), split_part(c, '=', 1),
    substr(c, strpos(c, '=') + 1))) FROM pg_db_role_setting s, unnest(s.setconfig) c WHERE s.setdatabase = d.oid)
  AS settings,
  (SELECT json_agg(DISTINCT r.rolname) FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
    WHERE s.refclassid = 'pg_authid'::regclass
    AND (s.dbid = d.oid OR s.dbid = 0 AND s.classid = 'pg_database'::regclass AND s.objid = d.oid)) AS roles
FROM pg_database d WHERE d.datname = """


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def connection(database: str) -> str:
    """A connection string: a bare name with a `=` in it would be taken for one."""
    return "dbname='" + database.replace("\\", "\\\\").replace("'", "\\'") + "' port=5432"


class PostgreSQL(Engine):
    name, title, suffix = "postgresql", "PostgreSQL", ".dump"

    @classmethod
    def is_installed(cls) -> bool:
        return any(Path("/etc/postgresql").glob("*/*/postgresql.conf"))

    def __init__(self) -> None:
        self._major = 0

    def query(self, sql: str, database: str = "postgres") -> list[dict[str, Any]]:
        answer = self.psql(f"SELECT coalesce(json_agg(x), '[]') FROM ({sql}) x;", database)  # noqa: S608 - our own SQL
        return list(json.loads(answer))

    def psql(self, sql: str, database: str = "postgres") -> str:
        return programs.run(self._psql(database), text=sql)

    def _psql(self, database: str) -> list[str]:
        psql = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", connection(database)]
        return [*AS_POSTGRES, *psql]

    def _server_major(self) -> int:
        if not self._major:
            number = self.query("SELECT current_setting('server_version_num')::int AS number")[0]["number"]
            self._major = number // 10000
        return self._major

    def _program(self, name: str) -> str:
        """Of the server's own version: what a newer pg_dump writes an older server may not understand."""
        return f"/usr/lib/postgresql/{self._server_major()}/bin/{name}"

    def _as_postgres(self, program: str, *arguments: str) -> list[str]:
        return [*AS_POSTGRES, self._program(program), *arguments]

    def version(self) -> str:
        try:
            answer = self.query("SELECT split_part(current_setting('server_version'), ' ', 1) AS version")
        except Problem as problem:
            raise Problem(f"PostgreSQL does not answer on its socket (port 5432): {problem}") from None
        return str(answer[0]["version"])

    def databases(self) -> list[Database]:
        found = [Database(row["name"], row["bytes"]) for row in self.query(DATABASES)]
        # The maintenance database is worth a backup only when somebody has put something into it.
        empty = not self.query(OWN_TABLES)[0]["count"]
        return [database for database in found if not (database.name == "postgres" and empty)]

    def dump(self, database: str) -> Iterator[bytes]:
        options = ["--format=custom", f"--lock-wait-timeout={LOCK_WAIT}"]
        if self._server_major() >= 16:
            options.append("--compress=zstd")
        argv = self._as_postgres("pg_dump", *options, f"--dbname={connection(database)}")
        return programs.stream(argv)

    def details(self, database: str) -> dict[str, Any]:
        found = self.query(DETAILS + literal(database))
        if not found:
            raise Problem(f"PostgreSQL has no database {database} any more.")
        return {**found[0], "roles": sorted({found[0]["owner"], *(found[0]["roles"] or [])})}

    def check(self, path: Path) -> dict[str, Any]:
        with path.open("rb") as handle:
            listed = programs.run([self._program("pg_restore"), "--list"], stdin=handle)
        with path.open("rb") as handle:  # every block is decompressed
            programs.run([self._program("pg_restore"), "--file=/dev/null"], stdin=handle)
        return {"tables": len(re.findall(r"^\d+; \d+ \d+ TABLE (?!DATA )", listed, re.M))}

    def accounts(self) -> Iterator[bytes]:
        return programs.stream(self._as_postgres("pg_dumpall", "--globals-only", "--port=5432"), compressor()[0])

    def restore_accounts(self, path: Path, needed: list[str]) -> None:
        there = {row["rolname"] for row in self.query("SELECT rolname FROM pg_roles")}
        lines = [line.decode(errors="replace") for line in text(path)]
        for name in needed:
            if name not in there:
                words = "|".join(re.escape(spelling) for spelling in (name, identifier(name)))
                own = [line for line in lines if re.match(rf"(CREATE|ALTER) ROLE ({words})( |;)", line)]
                if not own:
                    raise Problem(f"The role {name} is needed, but neither here nor in {path.name}. Make it first.")
                self.psql("\n".join(own))

    def refuse(self, target: str) -> None:
        if target in ("postgres", "template0", "template1"):
            raise Problem(f"{target} belongs to PostgreSQL itself. Restore it beside: --into NEWNAME")
        if len(target.encode()) > self.longest_name:
            raise Problem(f"{target} is too long for a database's name: at most {self.longest_name} bytes.")
        if self.query("SELECT pg_is_in_recovery() AS replica")[0]["replica"]:
            raise Problem("This PostgreSQL is a replica, which takes no changes. Restore on its primary.")

    def data_directory(self) -> str:
        return str(self.query("SELECT current_setting('data_directory') AS path")[0]["path"])

    def load(self, path: Path, scratch: str, details: dict[str, Any]) -> None:
        self.psql(creation(scratch, details))
        argv = self._as_postgres("pg_restore", "--exit-on-error", f"--dbname={connection(scratch)}")
        with path.open("rb") as handle:
            programs.run(argv, stdin=handle)
        for statement in properties(scratch, details):
            self.psql(statement)
        tables = self.query(TABLES, scratch)[0]["count"]
        if tables < details.get("tables", 0):
            raise Problem(f"The backup has {details['tables']} tables, but only {tables} were restored.")
        self.psql("ANALYZE", scratch)  # without it the first queries would be slow

    def take_place(self, scratch: str, target: str, kept: str, details: dict[str, Any], workplace: Path) -> None:
        self._rename([(target, kept), (scratch, target)])

    def rename(self, scratch: str, target: str, details: dict[str, Any], workplace: Path) -> None:
        self._rename([(scratch, target)])

    def _rename(self, names: list[tuple[str, str]]) -> None:
        """All in one transaction. It waits five seconds for the last connection to end while new ones wait for it, so
        nobody can slip in while those there are ended."""
        steps = [f"ALTER DATABASE {identifier(old)} RENAME TO {identifier(new)};" for old, new in names]
        script = "\n".join(["BEGIN;", *steps, "COMMIT;"])
        ended = ", ".join(literal(old) for old, _ in names)
        for tries_left in reversed(range(RENAME_TRIES)):
            with ThreadPoolExecutor(max_workers=1) as pool:
                renaming = pool.submit(self.psql, script)
                while not renaming.done():
                    self.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ({ended})")  # noqa: S608 - quoted
                    time.sleep(0.2)
            try:
                renaming.result()
                return
            except Problem as problem:
                if not tries_left:
                    raise Problem(f"The restored database could not take its place: {problem}") from None

    def drop(self, database: str) -> None:
        self.psql(f"DROP DATABASE IF EXISTS {identifier(database)}")


def creation(name: str, details: dict[str, Any]) -> str:
    """CREATE DATABASE as the one in the backup was made, whatever version made it."""
    row = details["row"]
    provider = {"i": "icu", "b": "builtin"}.get(row.get("datlocprovider", "c"))
    locale = row.get("datlocale") or row.get("daticulocale")
    parts = [
        f"CREATE DATABASE {identifier(name)} OWNER {identifier(details['owner'])} TEMPLATE template0",
        f"ENCODING {literal(details['encoding'])}",
        f"LC_COLLATE {literal(row['datcollate'])} LC_CTYPE {literal(row['datctype'])}",
    ]
    if provider and locale:
        parts.append(f"LOCALE_PROVIDER {provider} {provider.upper()}_LOCALE {literal(locale)}")
    return " ".join(parts)


def properties(name: str, details: dict[str, Any]) -> list[str]:
    """The statements for the database's comment, settings and rights."""
    database = identifier(name)
    statements = []
    if details.get("comment"):
        statements.append(f"COMMENT ON DATABASE {database} IS {literal(details['comment'])}")
    for role, setting, value in details.get("settings") or []:
        whom = f"ROLE {identifier(role)} IN DATABASE {database}" if role else f"DATABASE {database}"
        # Set first, then taken over: so that lists such as a search_path keep their quoting.
        set_it = f"SELECT set_config({literal(setting)}, {literal(value)}, false)"
        statements.append(f"{set_it};\nALTER {whom} SET {identifier(setting)} FROM CURRENT")
    if details.get("rights") is not None:
        statements.append(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        for role, right, grantable in details["rights"]:
            option = " WITH GRANT OPTION" if grantable else ""
            grantee = identifier(role) if role else "PUBLIC"
            statements.append(f"GRANT {right} ON DATABASE {database} TO {grantee}{option}")
    return statements
