"""Looking for secrets where none may lie in clear: in every table, below a folder, in a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import connection


def in_database(secrets: Iterable[str]) -> list[str]:
    """`table.column: SECR...` for every stored value that holds a secret, read as it lies there: no field decrypts."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return [
            f"{place}: {hit}"
            for table in tables
            for place, text in _values(cursor, table)
            for hit in in_text(text, secrets)
        ]


def _values(cursor: object, table: str) -> Iterator[tuple[str, str]]:
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
    columns = [column[0] for column in cursor.description]
    while rows := cursor.fetchmany(500):
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                if value is not None:
                    yield (
                        f"{table}.{column}",
                        value.decode(errors="replace") if isinstance(value, bytes) else str(value),
                    )


def in_tree(folder: Path, secrets: Iterable[str]) -> list[str]:
    """`path: SECR...` for every file below `folder` that holds a secret, and every file name that does."""
    found = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        content = path.read_bytes().decode(errors="replace") if path.is_file() and not path.is_symlink() else ""
        found += [f"{name}: {hit}" for hit in in_text(f"{name}\n{content}", secrets)]
    return found


def in_text(text: str, secrets: Iterable[str]) -> list[str]:
    """The first characters of every secret that `text` holds, also one line of a secret of many lines."""
    return sorted({f"{part[:4]}..." for secret in secrets for part in _parts(secret) if part in text})


def _parts(secret: str) -> set[str]:
    lines = {line.strip() for line in secret.splitlines()} if "\n" in secret.strip() else {secret}
    return {line for line in lines if len(line) >= 6 and not line.startswith("-----")}
