"""A Django form made from a recipe's options."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms

from forgelab.recipes.labels import choice_label, grouped
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import MAX_LENGTH, Option
from forgelab.recipes.problems import ConfigInvalid


class RecipeForm(forms.Form):
    """Once valid, `cleaned_data` is the recipe's complete config, as `recipe.clean` gives it."""

    recipe: Recipe

    def clean(self) -> dict[str, Any]:
        answered = super().clean() or self.cleaned_data
        try:
            return self.recipe.clean(answered)
        except ConfigInvalid as invalid:
            for name, message in invalid.errors.items():
                if name not in self.errors:
                    self.add_error(name, message[:1].upper() + message[1:])
            return answered

    def groups(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The fields by their group's title, which is "" for the first ones."""
        for title, options in grouped(self.recipe.options).items():
            yield title, [self[option.name] for option in options]


def recipe_form(recipe: Recipe, today: date | None = None) -> type[RecipeForm]:
    """The form for this recipe; `today` decides which versions are marked as no longer supported."""
    today = today or date.today()
    fields: dict[str, object] = {option.name: _field(option, today) for option in recipe.options}
    return type("RecipeForm", (RecipeForm,), {"recipe": recipe, **fields})


def _field(option: Option, today: date) -> forms.Field:
    common: dict[str, Any] = {"label": option.label, "help_text": option.help, "initial": option.default}
    field = _typed(option, today, common)
    if option.visible_if.terms:
        field.widget.attrs["data-visible-if"] = json.dumps(dict(option.visible_if.terms))
    return field


def _typed(option: Option, today: date, common: dict[str, Any]) -> forms.Field:
    if option.kind == "boolean":
        return forms.BooleanField(required=False, **common)
    if option.kind == "select":
        choices = [(choice.value, choice_label(option, choice, today)) for choice in option.choices]
        return forms.ChoiceField(choices=choices, **common)
    if option.kind == "integer":
        return forms.IntegerField(min_value=option.minimum, max_value=option.maximum, **common)
    return forms.CharField(required=option.required, strip=False, max_length=MAX_LENGTH, **common)
