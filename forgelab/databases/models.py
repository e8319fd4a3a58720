"""What ForgeLab keeps of databases."""

from __future__ import annotations

from django.db import models

from forgelab.servers.models import Server


class BackupRecord(models.Model):
    """The backups on a server's device, as ForgeLab knows them: from its own runs, and from asking the device."""

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="backup_record")
    listing = models.JSONField(default=dict, blank=True, help_text="What `forgelab-backup list --json` said, cleaned.")
    read_at = models.DateTimeField(null=True, blank=True, help_text="When the device was last asked.")

    def __str__(self) -> str:
        return f"backups of {self.server}"
