"""Triggers by which the database refuses to change or delete audit entries, on SQLite and on PostgreSQL.

A user who may alter the table can remove them: they guard against ForgeLab's own mistakes and against anybody who holds
only its login to the database, not against the database's owner.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "accounts_auditentry"
REFUSAL = "audit entries are append-only"

POSTGRESQL = (
    f"""
    CREATE OR REPLACE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$
    """,
    f"""
    CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()
    """,
)
POSTGRESQL_GONE = (
    f"DROP TRIGGER IF EXISTS {TABLE}_append_only ON {TABLE}",
    f"DROP FUNCTION IF EXISTS {TABLE}_refuse()",
)
REFUSE = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
SAME_ID = f"EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id)"  # noqa: S608 - nobody types any of it
SQLITE = (
    f"CREATE TRIGGER {TABLE}_no_update BEFORE UPDATE ON {TABLE} {REFUSE}",
    f"CREATE TRIGGER {TABLE}_no_delete BEFORE DELETE ON {TABLE} {REFUSE}",
    # REPLACE deletes a row without asking the trigger above.
    f"CREATE TRIGGER {TABLE}_no_replace BEFORE INSERT ON {TABLE} WHEN {SAME_ID} {REFUSE}",
)
SQLITE_GONE = tuple(f"DROP TRIGGER IF EXISTS {TABLE}_no_{verb}" for verb in ("update", "delete", "replace"))


def install(connection: BaseDatabaseWrapper) -> None:
    """Refuse changes from now on. SQLite loses triggers where a migration alters the table; it calls this again."""
    _execute(connection, POSTGRESQL if connection.vendor == "postgresql" else SQLITE)


def remove(connection: BaseDatabaseWrapper) -> None:
    _execute(connection, POSTGRESQL_GONE if connection.vendor == "postgresql" else SQLITE_GONE)


def _execute(connection: BaseDatabaseWrapper, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def migrate(apps: Any, schema_editor: Any) -> None:
    install(schema_editor.connection)


def migrate_back(apps: Any, schema_editor: Any) -> None:
    remove(schema_editor.connection)
