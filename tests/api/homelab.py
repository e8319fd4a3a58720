"""A small homelab in the database: two devices of different sizes, and runs in any state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils import timezone

from forgelab.devices.models import Device, Identity
from forgelab.runs.models import Event, Run, Step
from tests.recipes.helpers import MANIFEST, write_roles

TYPE = "small-server"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
FINGERPRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


def write_recipe(folder: Path) -> tuple[Path, Path]:
    """The folders of a small recipe and of its roles."""
    manifest = folder / "recipes" / TYPE / "manifest.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(MANIFEST)
    return folder / "recipes", write_roles(folder / "roles")


def device(name: str, *, memory_mb: int = 8192, **fields: Any) -> Device:
    identity, _ = Identity.objects.get_or_create(
        name="lab", defaults={"public_key": "ssh-ed25519 AAAA lab", "private_key": "a private key"}
    )
    known = {
        "address": "192.0.2.10",
        "host_keys": HOST_KEY,
        "status": Device.Status.REACHABLE,
        "memory_total_mb": memory_mb,
        "memory_available_mb": memory_mb,
        "cores": 4,
        "load_percent": 10.0,
        "disk_total_mb": 200_000,
        "disk_free_mb": 150_000,
        "disk_kind": Device.DiskKind.SSD,
        "distribution": "debian",
        "distribution_version": "12",
        "seen_at": timezone.now(),
    }
    return Device.objects.create(name=name, identity=identity, **{**known, **fields})


def run(on: Device, status: str = Run.Status.RUNNING, **fields: Any) -> Run:
    """A run of three steps: done, running, pending; with two events."""
    started = None if status == Run.Status.QUEUED else timezone.now()
    made = Run.objects.create(
        kind="server.provision", title="Provision web", device=on, plan={"a": "secret plan"}, status=status,
        started_at=started, finished_at=None if status in Run.ACTIVE else timezone.now(), last_counter=2, **fields,
    )  # fmt: skip
    for position, (role, state, seconds) in enumerate(
        (("nginx", "succeeded", 4.2), ("php", "running", None), ("redis", "pending", None)), start=1
    ):
        Step.objects.create(
            run=made,
            position=position,
            role=role,
            title=f"Setting up {role}",
            status=state,
            seconds=seconds,
            changed=True,
        )
    for counter in (1, 2):
        Event.objects.create(
            run=made, counter=counter, kind="runner_on_ok", role="nginx", task="Configure", created_at=timezone.now()
        )
    return made


def end(made: Run, status: str, detail: str = "") -> None:
    """The run ends so; a failing one in its second step."""
    steps = {"succeeded": "succeeded", "failed": "failed"}
    Step.objects.filter(run=made, status__in=("running", "pending")).update(
        status=steps.get(status, "skipped"), detail=detail
    )
    Run.objects.filter(pk=made.pk).update(status=status, status_detail=detail, finished_at=timezone.now())
