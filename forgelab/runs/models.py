"""The record of what ForgeLab does to devices: runs, their steps, their events, and the lock of each device."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone

from forgelab.devices.models import Device
from forgelab.lib.fields import EncryptedJSONField
from forgelab.runs import kinds


class RunQuerySet(models.QuerySet):
    def active(self) -> RunQuerySet:
        return self.filter(status__in=Run.ACTIVE)

    def finished(self) -> RunQuerySet:
        return self.exclude(status__in=Run.ACTIVE)

    def of(self, subject: models.Model | None) -> RunQuerySet:
        """Those for this server or other thing; none where it is None."""
        if subject is None:
            return self.none()
        return self.filter(subject_type=ContentType.objects.get_for_model(subject), subject_id=subject.pk)

    def of_kind(self, *wanted: kinds.RunKind) -> RunQuerySet:
        return self.filter(kind__in=[kind.name for kind in wanted])

    def on(self, device: Device) -> RunQuerySet:
        return self.filter(device=device)


class Run(models.Model):
    """One execution of a plan on one device. It always ends succeeded, failed, cancelled or lost."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        LOST = "lost", "Lost"

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32, help_text="What it does, such as server.provision.")
    title = models.CharField(max_length=200)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="runs")
    subject_type = models.ForeignKey(
        ContentType, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="The model of what it is for, as its kind says.",
    )  # fmt: skip
    subject_id = models.UUIDField(
        null=True, blank=True, db_index=True, help_text="The server or other thing it is for, which may be gone."
    )
    subject = GenericForeignKey("subject_type", "subject_id")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    requested_by_name = models.CharField(
        max_length=200, blank=True, help_text="Who asked, in words: also where no user did."
    )
    retry_of = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="retried_by",
        help_text="The lost run that this one repeats.",
    )  # fmt: skip
    plan = EncryptedJSONField(help_text="Everything that will be run, secrets included; encrypted.")
    request = models.JSONField(
        default=dict, blank=True, help_text="What was asked for, in the asking domain's words. No secrets."
    )
    repeatable = models.BooleanField(default=False)
    timeout_seconds = models.PositiveIntegerField(default=3600)

    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED, db_index=True)
    status_detail = models.TextField(blank=True, help_text="A sentence for the user: why it failed and what to do.")
    outcome = models.JSONField(
        default=dict, blank=True, help_text="Versions, facts and play recap that the run learned."
    )
    last_counter = models.PositiveIntegerField(default=0, help_text="Counter of the newest stored event.")
    created_at = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(null=True, blank=True, help_text="When its id was last sent to a worker.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)

    machine = models.CharField(max_length=128, blank=True, help_text="Host name and boot of the worker.")
    worker_pid = models.PositiveIntegerField(
        null=True, blank=True, help_text="The worker's process, until its thread is done with the run."
    )
    worker_started = models.CharField(
        max_length=32, blank=True, help_text="The worker's start time, so a reused pid is no proof of life."
    )
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    device_clean = models.BooleanField(default=True, help_text="No process of this run can be left on the device.")

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["device", "status"]),
            models.Index(fields=["worker_pid"], name="held_runs", condition=models.Q(worker_pid__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title

    def get_kind(self) -> kinds.RunKind:
        """Raises `kinds.UnknownKind`."""
        return kinds.get(self.kind)

    @property
    def is_queued_again(self) -> bool:
        """Whether it was lost and another run repeats it."""
        return Run.objects.filter(retry_of=self).exists()

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def seconds(self) -> float | None:
        """How long it has run, in seconds; None before it starts."""
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds() if self.started_at else None

    @property
    def percent(self) -> int:
        """Steps done out of all, in percent: what failed or was never reached is not done."""
        steps = list(self.steps.all())
        return int(100 * sum(step.status == Step.Status.SUCCEEDED for step in steps) / len(steps)) if steps else 0


class Step(models.Model):
    """One role of a run, with its own status and seconds."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"
        SKIPPED = "skipped", "Not reached"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    seconds = models.FloatField(null=True, blank=True)
    changed = models.BooleanField(default=False)
    detail = models.TextField(blank=True, help_text="The failing task's message.")

    class Meta:
        ordering = ["run", "position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="one_step_per_position")]

    def __str__(self) -> str:
        return self.title


class Event(models.Model):
    """One event of ansible-runner, in the order of its counter."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    counter = models.PositiveIntegerField()
    kind = models.CharField(max_length=48, help_text="ansible-runner's name of the event, such as runner_on_ok.")
    role = models.CharField(max_length=64, blank=True)
    task = models.CharField(max_length=200, blank=True)
    host = models.CharField(max_length=63, blank=True)
    changed = models.BooleanField(default=False)
    failed = models.BooleanField(default=False)
    seconds = models.FloatField(null=True, blank=True)
    stdout = models.TextField(blank=True)
    result = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(help_text="When Ansible made it.")
    stored_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["run", "counter"]
        constraints = [models.UniqueConstraint(fields=["run", "counter"], name="one_event_per_counter")]

    def __str__(self) -> str:
        return f"{self.counter} {self.kind}"


class DeviceLock(models.Model):
    """Held by the one run that works on the device. The row itself is the lock: its key is unique."""

    device = models.OneToOneField(Device, on_delete=models.CASCADE, primary_key=True, related_name="lock")
    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="device_lock")
    acquired_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.device} held by {self.run}"
