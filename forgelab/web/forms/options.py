"""The form of a server type's options, which shows those that apply to what is chosen.

Without JavaScript every option is shown. With it, a change of an option that others depend on fetches their fields:
their frames come from the server, their inputs stay as they are in the page, so nothing that was typed is lost.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from forgelab.recipes.forms import RecipeForm, recipe_form
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import hidden
from forgelab.servers.models import Server

TEXT = (forms.TextInput, forms.Textarea)


class OptionsForm(RecipeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for option in self.recipe.options:
            if option.visible_if.terms:
                self.fields[option.name].widget.attrs["hx-preserve"] = "true"
        for name in self._deciding:
            widget = self.fields[name].widget
            typed = isinstance(widget, TEXT)
            widget.attrs["hx-get"] = reverse("server_provision_fields", args=[self.recipe.id])
            widget.attrs["hx-trigger"] = "input changed delay:300ms" if typed else "change"

    @property
    def dependent(self) -> list[forms.BoundField]:
        """The fields that are shown only with others."""
        return [self[option.name] for option in self.recipe.options if option.visible_if.terms]

    @cached_property
    def unneeded(self) -> set[str]:
        """The names of the options that do not apply to what the form holds now."""
        config = {name: _value(self[name]) for name in self.fields}
        return {option.name for option in hidden(self.recipe.options, config)}

    @property
    def _deciding(self) -> set[str]:
        known = {option.name for option in self.recipe.options}
        return {name for option in self.recipe.options for name in option.visible_if.options} & known


def options_form(recipe: Recipe) -> type[OptionsForm]:
    """The form of a recipe's options; those that name servers offer the ones there are."""
    naming = any(option.kind in ("server", "servers") for option in recipe.options)
    made = recipe_form(recipe, servers=Server.objects.values_list("name", "server_type") if naming else ())
    return type("OptionsForm", (OptionsForm, made), {})


def _value(field: forms.BoundField) -> object:
    """What the field holds in the browser, as the recipe's conditions compare it; as typed where it cannot be read."""
    value = field.value()
    if (
        value is None
        and isinstance(field.field.widget, forms.Select)
        and not field.field.widget.allow_multiple_selected
    ):
        value = next(iter(field.field.widget.choices), ("",))[0]  # what a browser selects where nothing is chosen
    value = value.strip() if isinstance(value, str) else value
    try:
        return field.field.to_python(value)
    except ValidationError:
        return value
