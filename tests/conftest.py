"""What the tests of devices, runs and servers have in common: a device, a plan, a run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from forgelab.accounts.actors import SYSTEM
from forgelab.devices.models import Device, Identity
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan, PlannedRole
from forgelab.runs.services import run_create
from tests import factories
from tests.support.flush import the_audit_can_be_flushed
from tests.support.kinds import TEST

__all__ = ["the_audit_can_be_flushed"]  # a fixture of every test

# How fast a loaded machine makes its examples says nothing about ForgeLab.
settings.register_profile("forgelab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("forgelab")


os.environ.pop("COLUMNS", None)  # pytest-xdist sets it, and commands would take it for their terminal's width
COMMANDS = Path(__file__).parent / "cli"  # some run in processes of their own
EMBEDDED = COMMANDS / "stack"  # on SQLite always


def _uses_the_database(item: pytest.Item) -> bool:
    """pytest-django lets no other test reach it."""
    fixtures = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures) or item.get_closest_marker("django_db") is not None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs the services; leave out the long tail, `make matrix`, unless it is asked for by name."""
    for item in items:
        if _uses_the_database(item) or (COMMANDS in item.path.parents and EMBEDDED not in item.path.parents):
            item.add_marker("services")
    if "matrix" in config.option.markexpr:
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("matrix")])
    items[:] = [item for item in items if not item.get_closest_marker("matrix")]


# On lab devices these take longest, so they begin first: at the end no process is left alone with one of them.
LONGEST = (
    "app_server", "test_interruptions.py", "test_demo.py", "test_worker_server.py", "test_web_server.py",
    "test_lifecycle.py", "test_services.py",
)  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several processes test, the tests of one file stay together, and those of one folder in e2e."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = PurePath(nodeid.partition("::")[0])
            return str(file.parent if file.parent.parent.name == "e2e" else file)

        def _assign_work_unit(self, node: Any) -> None:
            for scope in [f"tests/e2e/{name}" for name in reversed(LONGEST)]:
                if scope in self.workqueue:
                    self.workqueue.move_to_end(scope, last=False)
            super()._assign_work_unit(node)

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def private_key(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)
    return path.read_text()


@pytest.fixture
def identity(db: None, private_key: str) -> Identity:
    return factories.identity(public_key="ssh-ed25519 AAAA test", private_key=private_key)


@pytest.fixture
def make_device(identity: Identity) -> Callable[..., Device]:
    def make(name: str = "homelab-server-01", **fields: object) -> Device:
        # Nothing answers on loopback's port 1: a test that would really connect gets an error at once.
        where = {"address": "127.0.0.1", "port": 1, "identity": identity, "seen_at": None}
        return factories.device(name, **(where | fields))

    return make


@pytest.fixture
def device(make_device: Callable[..., Device]) -> Device:
    return make_device()


@pytest.fixture
def plan() -> Plan:
    return Plan(
        slug="laravel",
        title="Provision laravel",
        roles=(
            PlannedRole("nginx", "Setting up Nginx", variables={"nginx_port": 80}),
            PlannedRole("php", "Setting up PHP 8.3", secrets={"php_token": "s3cret-token"}),
        ),
    )


@pytest.fixture
def make_run(device: Device, plan: Plan, enqueued: list[str]) -> Callable[..., Run]:
    def make(**changes: object) -> Run:
        asked = {"plan": plan, "kind": TEST, "device": device, "subject": None, "actor": SYSTEM}
        return run_create(**(asked | changes))

    return make


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Run:
    return make_run()


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No message is sent; the ids of the runs that were enqueued, in order."""
    ids: list[str] = []
    monkeypatch.setattr("forgelab.runs.queue.enqueue", lambda run_id: ids.append(str(run_id)))
    return ids
