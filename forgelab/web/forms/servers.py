"""Forms about a server: its name, and what is typed before something is removed for good."""

from __future__ import annotations

from typing import Any

from django import forms

from forgelab.databases import safety
from forgelab.lib import names
from forgelab.lib.validators import validate_slug
from forgelab.servers.models import Server

TYPED = {"autocomplete": "off", "spellcheck": "false"}


class NameForm(forms.Form):
    """The server's name and environment, which every type has. No recipe's option has such a name."""

    name = forms.CharField(
        label="Server Name", max_length=63, validators=[validate_slug], help_text=f"{names.SLUG_RULE.capitalize()}."
    )
    server_environment = forms.ChoiceField(
        label="Environment",
        choices=Server.Environment.choices,
        required=False,
        help_text="When a device is recommended, production is kept apart from other environments.",
    )


class ForgetForm(forms.Form):
    """The server's typed name. Whether it is right, the service decides."""

    confirm = forms.CharField(required=False, widget=forms.TextInput(attrs=TYPED))

    def __init__(self, *args: Any, server: Server, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirm"].label = f"Type {server.name} to confirm"


class ConfirmationForm(ForgetForm):
    """What the services ask for before a component, its database or a whole server goes.

    Once valid, `cleaned_data` is their keywords `confirm`, `without_backup` and `purge`.
    """

    without_backup = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs=TYPED),
        help_text="Better: make a backup first, on the server's page.",
    )
    purge = forms.BooleanField(label="Remove the packages with their data as well", required=False)

    def __init__(self, *args: Any, server: Server, database: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, server=server, **kwargs)
        if database and not safety.has_fresh_backup(server):
            self.fields["without_backup"].label = (
                "There is no verified backup of the last 24 hours. To go on without one, type: "
                + safety.without_backup_sentence(server)
            )
        else:
            del self.fields["without_backup"]
