"""Forms of the pages that no recipe brings."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from forgelab.devices.models import Device
from forgelab.lib import names
from forgelab.lib.validators import validate_slug
from forgelab.recipes.forms import RecipeForm, recipe_form
from forgelab.recipes.model import Recipe
from forgelab.servers.models import Server


def options_form(recipe: Recipe) -> type[RecipeForm]:
    """The form of a recipe's options; those that name servers offer the ones there are."""
    names = any(option.kind in ("server", "servers") for option in recipe.options)
    return recipe_form(recipe, servers=Server.objects.values_list("name", "server_type") if names else ())


class NameForm(forms.Form):
    """The server's name and environment, which every type has. No recipe's option has such a name."""

    name = forms.CharField(
        label="Server Name", max_length=63, validators=[validate_slug], help_text=f"{names.SLUG_RULE.capitalize()}."
    )
    server_environment = forms.ChoiceField(
        label="Environment",
        choices=Server.Environment.choices,
        required=False,
        help_text="Production is kept apart from the others when a device is recommended.",
    )


class DeviceForm(forms.ModelForm):
    """A device to add. Without a private key ForgeLab's own key is used, whose public half the page shows."""

    private_key = forms.CharField(
        label="Private key",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        help_text="Leave it empty to use ForgeLab's own key. It is stored encrypted.",
    )

    class Meta:
        model = Device
        fields = ["name", "address", "port", "user"]


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
        help_text="Each on another device: names or types with commas, one group a line; "
        "such as database-server, laravel-app-server.",
    )  # fmt: skip
    together = forms.CharField(
        label="Keep together", required=False, widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="All on one device, in the same way.",
    )  # fmt: skip
    spread = forms.BooleanField(label="Rather each on a device of its own", required=False)

    @property
    def counts(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(COUNT)]

    @property
    def wishes(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if not name.startswith(COUNT)]
