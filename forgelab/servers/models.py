"""Servers: what was provisioned on a device, from which recipe, with which components and credentials."""

from __future__ import annotations

import uuid

from django.db import models

from forgelab.devices.models import Device
from forgelab.lib.fields import EncryptedJSONField
from forgelab.lib.validators import validate_slug
from forgelab.runs.models import Run


class Server(models.Model):
    """A recipe applied to a device under a name."""

    class Status(models.TextChoices):
        PROVISIONING = "provisioning", "Provisioning"
        ACTIVE = "active", "Running"
        FAILED = "failed", "Failed"
        DECOMMISSIONING = "decommissioning", "Being decommissioned"

    class Environment(models.TextChoices):
        PRODUCTION = "production", "Production"
        STAGING = "staging", "Staging"
        DEVELOPMENT = "development", "Development"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=63, unique=True, validators=[validate_slug])
    environment = models.CharField(max_length=16, choices=Environment, default=Environment.PRODUCTION)
    server_type = models.CharField(max_length=64, help_text="The recipe's id, such as laravel-app-server.")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="servers")
    config = models.JSONField(default=dict, help_text="The recipe's options as chosen, complete with defaults.")
    secrets = EncryptedJSONField(help_text="Generated secrets by name; encrypted.")
    placement = models.JSONField(default=dict, blank=True, help_text="Score and reasons when the device was chosen.")
    status = models.CharField(max_length=16, choices=Status, default=Status.PROVISIONING)
    status_detail = models.TextField(blank=True, help_text="What the latest run left undone, for the user.")
    managed = models.JSONField(
        default=dict, blank=True,
        help_text="By role, what ForgeLab has put on the device for it, so that it can be removed again.",
    )  # fmt: skip
    replaced_by = models.CharField(
        max_length=63, blank=True,
        help_text="The server that took over as the primary, until this one is its standby: it must take no writes.",
    )  # fmt: skip
    replaced_at = models.DateTimeField(null=True, blank=True, help_text="When that server took over.")
    memory_mb = models.PositiveIntegerField(default=0, help_text="Memory reserved for it on the device, in MiB.")
    storage_mb = models.PositiveIntegerField(default=0, help_text="Storage reserved for it on the device, in MiB.")
    created_at = models.DateTimeField(auto_now_add=True)
    provisioned_at = models.DateTimeField(null=True, blank=True)
    drift_watch = models.BooleanField(default=True, help_text="Check every day whether the device is still as planned.")
    drift_checked_at = models.DateTimeField(null=True, blank=True)
    drift_count = models.PositiveIntegerField(
        null=True, blank=True, help_text="Differences that the last drift check found; null when none was made since."
    )
    drift_since = models.DateTimeField(null=True, blank=True, help_text="When the first of them was found.")
    drift_run = models.ForeignKey(Run, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Component(models.Model):
    """One thing installed for a server, with the version that was found on the device."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="components")
    name = models.CharField(max_length=64, help_text="The role's name.")
    title = models.CharField(max_length=64)
    version = models.CharField(max_length=64, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["server", "position"]
        constraints = [models.UniqueConstraint(fields=["server", "name"], name="one_component_per_server")]

    def __str__(self) -> str:
        return f"{self.title} {self.version}".strip()
