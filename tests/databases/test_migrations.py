"""The records of backups come from the servers' room with their rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [("servers", "0006_role_connection_check"), ("databases", None)]
AFTER = [("servers", "0007_backups_move_to_databases"), ("databases", "0001_backups")]
LISTING = {"backups": [], "complete": None, "timer": {"next": "tomorrow"}}


def migrated(targets: list[tuple[str, str | None]]) -> Any:
    """The models as they are once the database is migrated to these targets."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    loader = MigrationExecutor(connection).loader
    elsewhere = [node for node in loader.graph.leaf_nodes() if node[0] not in dict(targets)]
    return loader.project_state([*elsewhere, *(target for target in targets if target[1])]).apps


@pytest.fixture
def old(transactional_db) -> Iterator[Any]:
    yield migrated(BEFORE)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def record_of(apps: Any, room: str) -> Any:
    return apps.get_model(room, "BackupRecord").objects.get(server__name="shop")


def test_a_record_keeps_its_id_its_server_and_its_listing_and_goes_back_again(old):
    device = old.get_model("devices", "Device").objects.create(name="one", address="10.0.0.1")
    server = old.get_model("servers", "Server").objects.create(name="shop", device_id=device.pk, secrets={})
    record = old.get_model("servers", "BackupRecord").objects.create(server=server, listing=LISTING)

    moved = record_of(migrated(AFTER), "databases")
    assert (moved.pk, moved.server_id, moved.listing) == (record.pk, server.pk, LISTING)
    assert "databases_backuprecord" in connection.introspection.table_names()
    assert "servers_backuprecord" not in connection.introspection.table_names()

    back = record_of(migrated(BEFORE), "servers")
    assert (back.pk, back.listing) == (record.pk, LISTING)


def test_new_records_get_ids_of_their_own_after_the_move(old):
    device = old.get_model("devices", "Device").objects.create(name="one", address="10.0.0.1")
    make = old.get_model("servers", "Server").objects.create
    first, second = (make(name=name, device_id=device.pk, secrets={}) for name in ("shop", "desk"))
    record = old.get_model("servers", "BackupRecord").objects.create(server=first)

    after = migrated(AFTER).get_model("databases", "BackupRecord").objects
    assert after.create(server_id=second.pk).pk > record.pk
