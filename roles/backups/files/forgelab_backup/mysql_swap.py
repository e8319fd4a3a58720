# Managed by ForgeLab: changes made here are lost.
"""Moving the contents of a MySQL database into another: it cannot be renamed, and only tables can be moved.

Triggers, views, routines and events are written to a file, dropped, and made again where the tables went. The tables
move in one statement, which the server does as a whole or not at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import programs
from .problems import WARNING, Problem, tell
from .storage import SWAP

if TYPE_CHECKING:
    from .mysql import MySQL

KINDS = {
    "TRIGGER": "SELECT HEX(TRIGGER_NAME), 'TRIGGER' FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ",
    "EVENT": "SELECT HEX(EVENT_NAME), STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ",
    "ROUTINE": "SELECT HEX(ROUTINE_NAME), ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ",
}
# Somebody's long transaction must not hold up half a swap for the day that is the server's default.
CAREFULLY = "SET SESSION foreign_key_checks = 0; SET SESSION lock_wait_timeout = 30;\n"


class Swap:
    """One exchange on one server; `workplace` is the folder for what is not in tables."""

    def __init__(self, engine: MySQL, workplace: Path) -> None:
        self.engine = engine
        self.workplace = workplace

    def swap(self, scratch: str, target: str, kept: str, details: dict[str, Any]) -> None:
        """`target` becomes `kept`, `scratch` becomes `target`."""
        self._end_connections(target)
        with self._besides(target) as old, self._besides(scratch) as new:
            self.engine.make(kept, self.engine.details(target))
            try:
                self._strip(target)
                self._strip(scratch)
                self._rename([(target, kept), (scratch, target)])
            except BaseException as error:
                self._load(old, target)
                self.engine.drop(kept)
                if isinstance(error, Problem):
                    raise Problem(
                        f"The restored database could not take the place of {target}, which is as it was. Does a long "
                        f"transaction hold one of its tables? {error}"
                    ) from None
                raise
            self._load(new, target)
            self._load(old, kept)
            for name, _ in self._named("EVENT", kept):  # what is kept to look at must not act
                self.engine.sql(f"ALTER EVENT {self._full(kept, name)} DISABLE")
        self.engine.drop(scratch)

    def move(self, source: str, target: str) -> None:
        """All of `source` into the empty `target`."""
        with self._besides(source) as besides:
            self._strip(source)
            self._rename([(source, target)])
            self._load(besides, target)

    @contextlib.contextmanager
    def _besides(self, database: str) -> Iterator[Path]:
        """A file with everything of the database that is no table."""
        path = self.workplace / f"{SWAP}{quote(database, safe='')[-100:]}.sql"
        programs.save(path, *self._definitions(database))
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _definitions(self, database: str) -> list[list[str]]:
        argv = self.engine.dump_argv
        broken = self.engine.broken_views(database)
        ignored = [f"--ignore-table={database}.{view}" for view in broken]
        routines = ["--no-data", "--no-create-info", "--routines", "--events", "--triggers", "--add-drop-trigger"]
        commands = [argv(*routines, *ignored, "--", database)]
        if broken:
            tell(f"Views that refer to what is not there are not kept: {', '.join(broken)}.", WARNING)
        if views := [name for name, kind in self.engine.objects(database) if kind == "VIEW" and name not in broken]:
            commands.append(argv("--no-data", "--skip-triggers", "--", database, *views))
        return commands

    def _end_connections(self, database: str) -> None:
        """Of applications that sit in the middle of a transaction; they connect again."""
        where = f"DB = {_literal(database)} AND ID <> CONNECTION_ID()"
        for (number,) in self.engine.sql(f"SELECT ID FROM information_schema.PROCESSLIST WHERE {where}"):  # noqa: S608
            with contextlib.suppress(Problem):  # it may have ended by itself
                self.engine.sql(f"KILL {number}")

    def _strip(self, database: str) -> None:
        drops = [("VIEW", name) for name, kind in self.engine.objects(database) if kind == "VIEW"]
        drops += [("TRIGGER", name) for name, _ in self._named("TRIGGER", database)]
        drops += [("EVENT", name) for name, _ in self._named("EVENT", database)]
        drops += [(kind, name) for name, kind in self._named("ROUTINE", database)]
        if drops:
            statements = [f"DROP {kind} IF EXISTS {self._full(database, name)};" for kind, name in drops]
            self.engine.sql(CAREFULLY + "\n".join(statements))

    def _rename(self, moves: list[tuple[str, str]]) -> None:
        pairs = [
            f"{self._full(source, name)} TO {self._full(target, name)}"
            for source, target in moves
            for name, kind in self.engine.objects(source)
            if kind != "VIEW"
        ]
        if not pairs:
            return
        try:
            self.engine.sql(f"{CAREFULLY}RENAME TABLE {', '.join(pairs)}")
        except Problem as problem:
            raise Problem(f"The restored tables could not take their place: {problem}") from None

    def _load(self, definitions: Path, database: str) -> None:
        """Make again what was put aside. The file stays under another name when that fails."""
        try:
            with definitions.open("rb") as handle:
                programs.drain([*self.engine.client, f"--database={database}"], stdin=handle)
        except BaseException:
            definitions.rename(definitions.with_name(f"{definitions.stem}-for-{quote(database, safe='')[-80:]}.sql"))
            raise

    def _named(self, kind: str, database: str) -> list[tuple[str, str]]:
        rows = self.engine.sql(KINDS[kind] + _literal(database))
        return [(bytes.fromhex(name).decode(), word) for name, word in rows]

    def _full(self, database: str, name: str) -> str:
        return ".".join("`" + part.replace("`", "``") + "`" for part in (database, name))


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
