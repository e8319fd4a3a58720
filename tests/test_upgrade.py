"""A database of the release before, with what a user had in it, is brought up to date: all is there and goes on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse

from forgelab.accounts import audit
from forgelab.accounts.actors import SYSTEM
from forgelab.accounts.models import AuditEntry, User
from forgelab.databases.models import BackupRecord
from forgelab.runs import queue
from forgelab.runs.execution import execute
from forgelab.runs.models import Event, Run
from forgelab.servers.export import export_project
from forgelab.servers.models import Server
from tests import factories

# As of the last commit in which roles were named `peers` and `removed`.
BEFORE = {
    "accounts": "0001_initial", "databases": None, "devices": "0002_joining_and_metrics", "runs": "0002_run_request",
    "servers": "0005_replaced_by",
}  # fmt: skip
STATUSES = ("queued", "running", "succeeded", "failed", "cancelled", "lost")
PLAN = {
    "slug": "cache", "title": "Provision cache", "generated_roles": {}, "repeatable": True, "timeout_seconds": 60,
    "check": False, "hidden": [],
    "roles": [
        {"name": name, "title": name, "variables": {}, "secrets": {}, "expressions": {}, "always": False}
        for name in ("facts", "removed", "peers")
    ],
}  # fmt: skip
MANAGED = {"peers": {"needs": ["redis-tools"]}, "redis": {"units": ["redis-server"]}}


def migrate(targets: list[tuple[str, str | None]]) -> None:
    MigrationExecutor(connection).migrate(targets)


@pytest.fixture
def upgraded(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database as it was, with rows of every table that changed, and then brought up to date."""
    monkeypatch.setattr(queue, "enqueue", lambda run_id: None)
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    try:
        executor.migrate(list(BEFORE.items()))
        loader = MigrationExecutor(connection).loader
        others = [node for node in loader.graph.leaf_nodes() if node[0] not in BEFORE]
        fill(loader.project_state([*others, *(node for node in BEFORE.items() if node[1])]).apps)
        migrate(newest)
        yield
    finally:
        migrate(newest)


def fill(apps: Any) -> None:
    def make(model: str, **fields: Any) -> Any:
        return apps.get_model(model).objects.create(**fields)

    ann = make("accounts.User", username="ann", password=make_password("annpass-123"))
    make("accounts.User", username="bob", password="!")
    identity = make("devices.Identity", name="forgelab", public_key="ssh-ed25519 AAAA", private_key="a key")
    device = make("devices.Device", name="one", address="10.9.0.1", identity=identity, host_keys=factories.HOST_KEY)
    cache = make(
        "servers.Server", name="cache", server_type="cache-server", device=device, status="active", config={},
        secrets={"redis_password": factories.SECRET}, managed=MANAGED, placement={"promised_mb": 512},
    )  # fmt: skip
    make("servers.Component", server=cache, name="peers", title="Connections")
    make("servers.BackupRecord", server=cache, listing={"backups": []})
    common = {"device": device, "subject_id": cache.pk, "requested_by": ann, "plan": PLAN}
    for status in STATUSES:
        run = make(
            "runs.Run", kind="server.provision", title=status, status=status, worker_pid=4, repeatable=True, **common
        )
        for position, role in enumerate(("facts", "removed", "peers")):
            make("runs.Step", run=run, position=position, role=role, title=role)
        make("runs.Event", run=run, counter=1, kind="runner_on_ok", created_at=run.created_at)
    make("runs.Run", kind="server.provision", title="again", status="failed", retry_of=run, **common)
    make("runs.Run", kind="server.provision", title="of one that is gone", **common | {"subject_id": uuid.uuid4()})


def test_what_a_user_had_is_there_after_the_upgrade_and_goes_on(upgraded: None, tmp_path: Any) -> None:
    everything_is_there()
    every_page_answers()
    export_project(directory=tmp_path / "export", actor=SYSTEM)
    assert (tmp_path / "export/playbooks/cache.yml").is_file()
    a_queued_run_ends_with_a_sentence()
    the_audit_is_append_only()


def everything_is_there() -> None:
    assert {user.username: user.is_owner for user in User.objects.all()} == {"ann": True, "bob": False}
    server = Server.objects.get()
    assert server.secrets == {"redis_password": factories.SECRET}
    assert server.managed == {"connection_check": MANAGED["peers"], "redis": MANAGED["redis"]}
    assert [component.name for component in server.components.all()] == ["connection_check"]
    assert BackupRecord.objects.get().server == server
    assert Event.objects.count() == len(STATUSES)
    assert Run.objects.of(server).count() == len(STATUSES) + 1
    assert Run.objects.get(title="again").retry_of == Run.objects.get(title="lost")
    assert set(Run.objects.exclude(worker_pid=None).values_list("title", flat=True)) == {"queued", "running"}


def every_page_answers() -> None:
    client = Client()
    assert client.login(username="ann", password="annpass-123")
    pages = [reverse(name) for name in ("home", "device_list", "server_list", "run_list", "audit_list")]
    pages += [reverse("server_detail", args=["cache"]), reverse("device_detail", args=["one"])]
    pages += [reverse("run_detail", args=[run.pk]) for run in Run.objects.all()]
    assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


def a_queued_run_ends_with_a_sentence() -> None:
    Run.objects.filter(status="running").update(status="lost")
    queued = Run.objects.get(title="queued")
    execute(queued.pk)
    queued.refresh_from_db()
    assert queued.status == "failed"
    assert "earlier version of ForgeLab" in queued.status_detail
    assert "earlier version of ForgeLab" in Server.objects.get().status_detail


def the_audit_is_append_only() -> None:
    with transaction.atomic():
        audit.record(actor=SYSTEM, action="user.login")
    for change in (lambda: AuditEntry.objects.update(actor="nobody"), AuditEntry.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert AuditEntry.objects.first().actor == "ForgeLab"
