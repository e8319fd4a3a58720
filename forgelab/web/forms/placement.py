"""The form for placing a whole set of servers at once."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from forgelab.recipes.model import Recipe
from forgelab.servers.models import Server

COUNT = "count-"


def set_form(recipes: Iterable[Recipe]) -> type[forms.Form]:
    """How many servers of each type, and what is wished of their places."""
    counts: dict[str, forms.Field] = {
        f"{COUNT}{recipe.id}": forms.IntegerField(
            label=recipe.name, min_value=0, max_value=20, required=False, initial=0, help_text=recipe.id
        )
        for recipe in recipes
    }
    return type("SetForm", (_SetForm,), counts)


class _SetForm(forms.Form):
    server_environment = forms.ChoiceField(label="Environment", choices=Server.Environment.choices, required=False)
    apart = forms.CharField(
        label="Keep apart", required=False, widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Each on a different device. Names or types separated by commas, one group per line, "
        "such as: database-server, laravel-app-server",
    )  # fmt: skip
    together = forms.CharField(
        label="Keep together", required=False, widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="All on one device. Written in the same way.",
    )  # fmt: skip
    spread = forms.BooleanField(label="Prefer a separate device for each", required=False)

    @property
    def counts(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(COUNT)]

    @property
    def wishes(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if not name.startswith(COUNT)]
