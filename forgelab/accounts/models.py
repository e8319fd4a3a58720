"""The people who use ForgeLab, and the record of what was done."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from forgelab.accounts.actors import Kind


class User(AbstractUser):
    """A person with a login. Our own class from the start, so that fields can be added without a painful migration."""

    @property
    def is_owner(self) -> bool:
        """Whether this person may do everything (`forgelab.accounts.policy`)."""
        return self.is_active and self.is_superuser


class AuditEntry(models.Model):
    """One thing that somebody did. Append-only: the database itself refuses to change or delete it."""

    at = models.DateTimeField(default=timezone.now)
    actor_kind = models.CharField(max_length=16, choices=Kind)
    actor = models.CharField(max_length=200, help_text="Who, as it was shown then; stays when the user is deleted.")
    # No constraint and no cascade: deleting a user must not change what the user did.
    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, db_constraint=False, null=True, blank=True, related_name="audit_entries"
    )
    origin = models.CharField(max_length=255, blank=True, help_text="IP address, or login@host of the shell.")
    action = models.CharField(max_length=64, db_index=True, help_text="noun.verb, such as device.remove.")
    object_type = models.CharField(max_length=64, blank=True, help_text="Name of the model, such as device.")
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    before = models.JSONField(default=dict, blank=True, help_text="Only what changed; secrets are masked.")
    after = models.JSONField(default=dict, blank=True, help_text="Only what changed; secrets are masked.")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["object_type", "object_id"])]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.object_name}".strip()

    def changes(self) -> list[tuple[str, Any, Any]]:
        """Each name that changed, with its value before and after; None where it did not exist."""
        names = dict.fromkeys((*self.before, *self.after))
        return [(name, self.before.get(name), self.after.get(name)) for name in names]
