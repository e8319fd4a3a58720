"""The form to restore a database from one of its backups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.template.defaultfilters import date, filesizeformat
from django.utils import timezone

from forgelab.databases.backup_listing import Backup
from forgelab.servers.models import Server
from forgelab.web.forms.servers import TYPED, ForgetForm


class RestoreForm(ForgetForm):
    """Which backup, into which database, and the server's typed name. What is right, the service decides."""

    backup = forms.CharField(label="Backup", widget=forms.Select)
    into = forms.CharField(
        label="Into a new database (optional)", required=False, max_length=64, widget=forms.TextInput(attrs=TYPED),
        help_text="Left empty, the restored database takes the place of the present one, which is kept on the device "
        "under a dated name.",
    )  # fmt: skip
    field_order = ("backup", "into", "confirm")

    def __init__(self, *args: Any, server: Server, backups: Iterable[Backup] = (), **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "restore-%s")
        super().__init__(*args, server=server, **kwargs)
        self.fields["backup"].widget.choices = [(choice_value(backup), _label(backup)) for backup in backups]

    @property
    def chosen(self) -> dict[str, str]:
        """The chosen backup and the target as the service's keywords."""
        engine, _, rest = self.cleaned_data.get("backup", "").partition("/")
        at, _, database = rest.partition("/")
        return {"engine": engine, "at": at, "database": database, "into": self.cleaned_data.get("into", "")}


def choice_value(backup: Backup) -> str:
    """A backup as the value of a form's choice; a database's name may hold anything, so it comes last."""
    return f"{backup.engine}/{backup.id}/{backup.database}"


def _label(backup: Backup) -> str:
    made = date(timezone.localtime(backup.finished_at), "Y-m-d H:i")
    return f"{backup.database} of {made} ({backup.version}, {filesizeformat(backup.size_bytes)})"
