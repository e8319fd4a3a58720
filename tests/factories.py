"""Rows for tests, as in the specification's homelab: devices, servers of the built-in recipe, runs in any state."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from django.utils import timezone

from forgelab.devices.models import Device, Identity, Sample
from forgelab.runs.models import Event, Run, Step
from forgelab.servers.catalog import recipe_catalog
from forgelab.servers.models import Component, Server

TYPE = "laravel-app-server"
SMALL = "small-server"  # the type that tests.recipes.helpers writes
SECRET = "s3cretdatabasepassword"
PRIVATE_KEY = "a private key that no page shows"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
OTHER_HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB+NyLOy3WlLqOEWf3VIhZjmIFrGdYoYLMxYgQ/VLr0T"
FINGERPRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
STEPS = (
    ("preflight", "Checking the device", 3.1),
    ("packages", "Installing packages", 62.4),
    ("nginx", "Setting up Nginx", 5.2),
    ("php", "Setting up PHP 8.2", 4.4),
    ("composer", "Setting up Composer", 2.3),
    ("nodejs", "Setting up Node.js 20", 8.0),
    ("postgresql", "Setting up PostgreSQL 15", 6.1),
    ("redis", "Setting up Redis 7", 1.0),
    ("scheduler", "Configuring Laravel scheduler", 0.4),
)
VERSIONS = (
    ("nginx", "Nginx", "1.22.1"), ("php", "PHP", "8.2.29"), ("postgresql", "PostgreSQL", "15.14"),
    ("redis", "Redis", "7.0.15"), ("composer", "Composer", "2.5.5"), ("nodejs", "Node.js", "20.19.5"),
)  # fmt: skip
OUTPUT = """
TASK [nginx : Put the configuration in place] **********************************
changed: [homelab-server-02]"""


def identity(name: str = "forgelab", **fields: str) -> Identity:
    """The identity of this name; made with these fields unless there is one."""
    keys = {"public_key": f"{OTHER_HOST_KEY} forgelab", "private_key": PRIVATE_KEY}
    return Identity.objects.get_or_create(name=name, defaults=keys | fields)[0]


def device(name: str = "homelab-server-01", **fields: Any) -> Device:
    """A device that was reached; with an `identity` of its own unless one is given."""
    known = {
        "address": "192.168.1.105", "host_keys": HOST_KEY, "status": Device.Status.REACHABLE,
        "seen_at": timezone.now() + timedelta(days=1),  # never too old, so that no test asks these addresses
        "memory_total_mb": 16_384, "memory_available_mb": 12_288, "cores": 4, "load_percent": 35.0,
        "disk_total_mb": 512_000, "disk_free_mb": 204_800, "disk_kind": "ssd", "architecture": "x86_64",
        "distribution": "debian", "distribution_version": "12", "distribution_release": "bookworm",
        "availability_percent": 99.9,
    }  # fmt: skip
    if "identity" not in fields:
        fields["identity"] = identity()
    return Device.objects.create(name=name, **(known | fields))


def devices() -> tuple[Device, Device, Device, Device]:
    """The recommended one, a busy one, one on an SD card, one that does not answer."""
    return (
        device("homelab-server-02"),
        device("homelab-server-01", address="192.168.1.104", memory_available_mb=8192, load_percent=75.0),
        device("homelab-pi-01", address="192.168.1.120", memory_total_mb=4096, memory_available_mb=3400,
               disk_free_mb=24_000, disk_kind="sd", architecture="aarch64", model="Raspberry Pi 4 Model B"),
        device("nas", address="127.0.0.1", port=1, status=Device.Status.UNREACHABLE,  # nothing answers there
               status_detail="nas (root@127.0.0.1 port 1) cannot be reached: no answer. Is it switched on?"),
    )  # fmt: skip


def measured(device: Device, hours: int = 26) -> None:
    """A day of samples by the minute around the device's present figures, with a gap in which nobody asked."""
    now = timezone.now()
    Sample.objects.bulk_create(
        Sample(
            device=device, span=Sample.Span.RAW, at=now - timedelta(minutes=n), asked=1, answered=1,
            load_percent=device.load_percent * (1 + 0.6 * math.sin(n / 90) + 0.2 * math.sin(n / 7)),
            memory_available_mb=int(device.memory_available_mb * (0.9 + 0.1 * math.sin(n / 200))),
            disk_free_mb=device.disk_free_mb - n, temperature_celsius=48 + 8 * math.sin(n / 90),
        )
        for n in range(hours * 60)
        if not 400 < n < 520
    )  # fmt: skip


def server(on: Device, name: str = "laravel-production", status: str = Server.Status.ACTIVE) -> Server:
    made = Server.objects.create(
        name=name, server_type=TYPE, device=on, status=status, memory_mb=2048,
        config=recipe_catalog().get(TYPE).clean({"php_version": "8.2"}),
        secrets={"database_password": SECRET, "redis_password": f"{SECRET}-redis"},
        placement={"points": 94, "reasons": ["12GB RAM available (app needs 4GB)"], "automatic": True},
        provisioned_at=timezone.now() if status == Server.Status.ACTIVE else None,
    )  # fmt: skip
    if status == Server.Status.ACTIVE:
        Component.objects.bulk_create(
            Component(server=made, name=role, title=title, version=version, position=n)
            for n, (role, title, version) in enumerate(VERSIONS)
        )
    return made


def run(on: Device, status: str = Run.Status.RUNNING, server: Server | None = None, **fields: Any) -> Run:
    """A run of nine steps. A running one is in its fourth, a failed one stopped there."""
    now = timezone.now()
    active, failed = status in Run.ACTIVE, status == Run.Status.FAILED
    made = Run.objects.create(**{
        "kind": "server.provision", "title": f"Provisioning {server.name if server else 'web'}", "device": on,
        "subject": server, "plan": {"secret": SECRET}, "status": status, "last_counter": 2,
        "started_at": None if status == Run.Status.QUEUED else now - timedelta(seconds=77),
        "finished_at": None if active else now,
        "status_detail": f"Setting up PHP 8.2 failed on {on.name}: {WHY}" if failed else "",
    } | fields)  # fmt: skip
    Step.objects.bulk_create(_step(made, n, *step) for n, step in enumerate(STEPS, start=1))
    for counter in (1, 2):
        Event.objects.create(
            run=made, counter=counter, kind="runner_on_ok", role="nginx", task="Configure", host=on.name,
            changed=counter == 2, stdout=OUTPUT, result={"ok": True}, created_at=now,
        )  # fmt: skip
    return made


def end(made: Run, status: str, detail: str = "") -> None:
    """The run ends so; a failing one in the step that is running."""
    running, pending = {"succeeded": ("succeeded",) * 2, "failed": ("failed", "skipped")}.get(status, ("skipped",) * 2)
    Step.objects.filter(run=made, status="running").update(status=running, detail=detail)
    Step.objects.filter(run=made, status="pending").update(status=pending)
    Run.objects.filter(pk=made.pk).update(status=status, status_detail=detail, finished_at=timezone.now())


WHY = "No package php8.3-fpm has a candidate. Choose PHP 8.2, which Debian 12 carries."


def _step(made: Run, position: int, role: str, title: str, seconds: float) -> Step:
    at = {Run.Status.QUEUED: 1, Run.Status.SUCCEEDED: 99}.get(made.status, 4)
    here = {Run.Status.RUNNING: "running", Run.Status.FAILED: "failed"}.get(made.status, "skipped")
    after = "pending" if made.status in Run.ACTIVE else "skipped"
    if made.status == Run.Status.QUEUED:
        here = "pending"
    state = "succeeded" if position < at else here if position == at else after
    done = state in ("succeeded", "failed")
    return Step(run=made, position=position, role=role, title=title, status=state, seconds=seconds if done else None,
                detail=WHY if state == "failed" else "")  # fmt: skip
