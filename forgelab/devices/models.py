"""The machines of the homelab and the keys that open them."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from forgelab.lib.fields import EncryptedTextField
from forgelab.lib.validators import validate_address, validate_slug, validate_user


class Identity(models.Model):
    """An SSH key pair that ForgeLab logs in with. The private half is encrypted and never shown."""

    name = models.CharField(max_length=63, unique=True, validators=[validate_slug])
    public_key = models.TextField(help_text="One line, as in authorized_keys.")
    private_key = EncryptedTextField(help_text="OpenSSH format, without a passphrase; encrypted in the database.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "identities"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Device(models.Model):
    """A machine that ForgeLab may provision: reachable by SSH, with its host key pinned."""

    class Status(models.TextChoices):
        UNKNOWN = "unknown", "Not looked at yet"
        REACHABLE = "reachable", "Reachable"
        UNREACHABLE = "unreachable", "Unreachable"

    class DiskKind(models.TextChoices):
        NVME = "nvme", "NVMe"
        SSD = "ssd", "SSD"
        HDD = "hdd", "Hard disk"
        SD = "sd", "SD card"
        UNKNOWN = "unknown", "Unknown"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=63, unique=True, validators=[validate_slug])
    address = models.CharField(max_length=253, validators=[validate_address], help_text="IP address or host name.")
    port = models.PositiveIntegerField(default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    user = models.CharField(
        max_length=32, default="root", validators=[validate_user], help_text="root, or a user with passwordless sudo."
    )
    identity = models.ForeignKey(Identity, on_delete=models.PROTECT, related_name="devices")
    host_keys = models.TextField(help_text="Pinned keys, one `type base64` a line. Any other key stops every run.")

    status = models.CharField(max_length=16, choices=Status, default=Status.UNKNOWN)
    status_detail = models.TextField(blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    memory_total_mb = models.PositiveIntegerField(null=True, blank=True)
    memory_available_mb = models.PositiveIntegerField(null=True, blank=True)
    cores = models.PositiveSmallIntegerField(null=True, blank=True)
    load_percent = models.FloatField(null=True, blank=True, help_text="Load average of 5 minutes over the cores.")
    disk_total_mb = models.PositiveIntegerField(null=True, blank=True)
    disk_free_mb = models.PositiveIntegerField(null=True, blank=True)
    disk_kind = models.CharField(max_length=8, choices=DiskKind, default=DiskKind.UNKNOWN)
    architecture = models.CharField(max_length=16, blank=True)
    distribution = models.CharField(max_length=32, blank=True)
    distribution_version = models.CharField(max_length=16, blank=True)
    distribution_release = models.CharField(max_length=32, blank=True)
    model = models.CharField(max_length=128, blank=True)
    uptime_seconds = models.PositiveBigIntegerField(null=True, blank=True)
    checks_answered = models.PositiveIntegerField(default=0)
    checks_missed = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def availability_percent(self) -> float | None:
        """Share of the checks that the device answered, in percent; None before the first one."""
        asked = self.checks_answered + self.checks_missed
        return 100 * self.checks_answered / asked if asked else None

    @property
    def known_hosts(self) -> str:
        """The pinned keys as lines of an OpenSSH known_hosts file."""
        host = self.address if self.port == 22 else f"[{self.address}]:{self.port}"
        return "".join(f"{host} {line}\n" for line in self.host_keys.splitlines() if line.strip())
