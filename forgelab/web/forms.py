"""Forms of the pages that no recipe brings."""

from __future__ import annotations

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
    """The server's name, which every type has."""

    name = forms.CharField(
        label="Server Name", max_length=63, validators=[validate_slug], help_text=f"{names.SLUG_RULE.capitalize()}."
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
