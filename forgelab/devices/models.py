"""The machines of the homelab and the keys that open them."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.conf import settings
from django.core.exceptions import ValidationError
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
    """A machine that ForgeLab may provision: reachable by SSH with its host key pinned, or the one ForgeLab runs on."""

    class Status(models.TextChoices):
        UNKNOWN = "unknown", "Not looked at yet"
        REACHABLE = "reachable", "Reachable"
        ASLEEP = "asleep", "Asleep"
        UNREACHABLE = "unreachable", "Unreachable"

    class Connection(models.TextChoices):
        SSH = "ssh", "SSH"
        LOCAL = "local", "This machine"

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
    connection = models.CharField(max_length=8, choices=Connection, default=Connection.SSH)
    identity = models.ForeignKey(
        Identity, on_delete=models.PROTECT, related_name="devices", null=True, blank=True,
        help_text="The key to log in with; none for the machine that ForgeLab runs on.",
    )  # fmt: skip
    host_keys = models.TextField(
        blank=True, help_text="Pinned keys, one `type base64` a line. Any other key stops every run."
    )
    jump = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="behind", null=True, blank=True,
        help_text="The device through which this one is reached (jump host); none where it is reached directly.",
    )  # fmt: skip
    sleeps = models.BooleanField(default=False, help_text="It may sleep: woken before a run, never called unreachable.")
    mac_address = models.CharField(max_length=17, blank=True, help_text="For wake-on-LAN, such as 52:54:00:12:34:56.")

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
    virtualisation = models.CharField(max_length=32, blank=True, help_text="As systemd-detect-virt says; empty: none.")
    disks = models.JSONField(default=list, blank=True, help_text="Whole disks: name, kind, size_mb and model of each.")
    listening = models.JSONField(
        default=list, blank=True, help_text="TCP ports that something listens on: port and process of each."
    )
    temperature_celsius = models.FloatField(null=True, blank=True, help_text="The processor's, where it is readable.")
    uptime_seconds = models.PositiveBigIntegerField(null=True, blank=True)
    misses = models.PositiveSmallIntegerField(default=0, help_text="Times in a row that it has not answered.")
    availability_percent = models.FloatField(
        null=True, blank=True, help_text="Share of the last 30 days' checks that it answered."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """A device reached by SSH has a key to log in with and pinned keys to be known by; no way is a circle."""
        super().clean_fields(exclude=exclude)
        problems = {}
        if self.connection == self.Connection.SSH:
            wanted = {"identity": self.identity_id, "host_keys": self.host_keys.strip()}
            problems = {field: "A device that is reached by SSH needs this." for field in wanted if not wanted[field]}
        elif known := Device.objects.filter(connection=self.Connection.LOCAL).exclude(pk=self.pk).first():
            problems["connection"] = f"{known.name} is this machine already. Show it: forgelab device show {known.name}"
        if problem := self._jump_problem():
            problems["jump"] = problem
        if problems := {field: text for field, text in problems.items() if field not in (exclude or ())}:
            raise ValidationError(problems)

    def _jump_problem(self) -> str:
        """Why it cannot be reached through `jump`, as a sentence; empty when it can."""
        if self.jump is None:
            return ""
        if self.connection == self.Connection.LOCAL:
            return f"{self.name} is the machine that ForgeLab runs on: nobody stands between."
        way, hop = [self.name], self.jump
        while hop is not None:
            way.append(hop.name)
            if hop.pk == self.pk:
                return f"That way leads in a circle: {' is reached through '.join(way)}. Choose another device."
            if hop.connection == self.Connection.LOCAL:
                return f"{hop.name} is the machine that ForgeLab runs on: a device that it reaches is reached directly."
            hop = hop.jump
        return ""


class Sample(models.Model):
    """What a device measured at one moment, or the middle of what it measured in a span of time."""

    class Span(models.IntegerChoices):
        RAW = 60, "One minute"
        FIVE_MINUTES = 300, "Five minutes"
        HOUR = 3600, "One hour"

    # The unique constraint's index begins with the device: another one would be a sixth of the table for nothing.
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="samples", db_index=False)
    span = models.PositiveSmallIntegerField(choices=Span, help_text="Seconds that it stands for.")
    at = models.DateTimeField(help_text="When its span begins.")
    asked = models.PositiveSmallIntegerField(default=1, help_text="Times that the device was asked.")
    answered = models.PositiveSmallIntegerField(default=1, help_text="Times that it answered.")
    load_percent = models.FloatField(null=True, blank=True, help_text="Of the cores.")
    memory_available_mb = models.PositiveIntegerField(null=True, blank=True)
    disk_free_mb = models.PositiveIntegerField(null=True, blank=True)
    temperature_celsius = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["device", "span", "at"]
        constraints = [models.UniqueConstraint(fields=["device", "span", "at"], name="one_sample_per_span")]
        indexes = [models.Index(fields=["span", "at"])]

    def __str__(self) -> str:
        return f"{self.device} at {self.at:%Y-%m-%d %H:%M}"


class JoinToken(models.Model):
    """Lets one machine join by itself, once and for a short time. Only the token's hash is kept."""

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, in hexadecimal.")
    name = models.CharField(
        max_length=63, blank=True, validators=[validate_slug], help_text="For the device; empty: its own host name."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="join_tokens")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    device = models.ForeignKey(
        Device, on_delete=models.SET_NULL, related_name="join_tokens", null=True, blank=True,
        help_text="The device that joined with it.",
    )  # fmt: skip
    failure = models.TextField(blank=True, help_text="Why the machine that used it could not be added.")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"join token of {self.created_by}, {self.created_at:%Y-%m-%d %H:%M}"
