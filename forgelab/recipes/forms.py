"""A Django form made from a recipe's options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django import forms

from forgelab.lib.problems import ConfigInvalid
from forgelab.recipes import lists
from forgelab.recipes.labels import choice_label, choice_note, grouped
from forgelab.recipes.model import Recipe
from forgelab.recipes.options import MAX_LENGTH, Option

NAMING = ("server", "servers")
GONE = "There is no server %(value)s of a fitting type any more. Choose another one."


class RecipeForm(forms.Form):
    """Once valid, `cleaned_data` is the recipe's complete config, as `recipe.clean` gives it."""

    recipe: Recipe

    def clean(self) -> dict[str, Any]:
        answered = {name: value for name, value in (super().clean() or self.cleaned_data).items() if value is not None}
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


Servers = Iterable[tuple[str, str]]


def recipe_form(recipe: Recipe, today: date | None = None, servers: Servers = ()) -> type[RecipeForm]:
    """The form for this recipe. `today` decides which versions are marked as no longer supported; `servers` are all
    there are, as name and type, from which the options that name servers offer those of the types they allow."""
    today, servers = today or date.today(), tuple(servers)
    fields: dict[str, object] = {option.name: _field(option, today, servers) for option in recipe.options}
    return type("RecipeForm", (RecipeForm,), {"recipe": recipe, **fields})


def _field(option: Option, today: date, servers: Servers) -> forms.Field:
    common: dict[str, Any] = {"label": option.label, "help_text": option.help}
    common["initial"] = None if option.required else option.initial
    if option.visible_if.terms and option.required:
        common["required"] = False  # whether it is hidden, and so need not be answered, the recipe knows
    return _naming(option, servers, common) if option.kind in NAMING else _typed(option, today, common)


def _typed(option: Option, today: date, common: dict[str, Any]) -> forms.Field:
    if option.kind == "boolean":
        return forms.BooleanField(**{**common, "required": False})
    if option.kind == "select":
        return _select(option, today, common)
    if option.kind == "integer":
        return forms.IntegerField(min_value=option.minimum, max_value=option.maximum, **common)
    if option.kind == "networks":
        return NetworksField(**{**common, "required": False})
    return forms.CharField(strip=False, max_length=MAX_LENGTH, **{"required": option.required, **common})


def _select(option: Option, today: date, common: dict[str, Any]) -> SelectField:
    choices = [(choice.value, choice_label(option, choice, today)) for choice in option.choices]
    notes = {choice.label: note for choice in option.choices if (note := choice_note(option, choice, today))}
    return SelectField(choices=choices, notes=notes, **common)


def _naming(option: Option, servers: Servers, common: dict[str, Any]) -> forms.Field:
    """Fields that name servers; whether an answer is needed, the recipe knows."""
    fitting = [(name, name) for name, kind in servers if not option.server_types or kind in option.server_types]
    common |= {"required": False, "error_messages": {"invalid_choice": GONE}}
    if option.kind == "servers":
        return forms.MultipleChoiceField(choices=fitting, **common)
    return forms.ChoiceField(choices=[("", "None" if not option.required else "Choose one"), *fitting], **common)


class SelectField(forms.ChoiceField):
    """`notes` are shown below it: what there is to say of a choice, by its label."""

    def __init__(self, *, notes: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.notes = notes


class NetworksField(forms.CharField):
    """Networks with commas between them; its value is the list of them."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return lists.split(value) if isinstance(value, str) else list(value or [])

    def prepare_value(self, value: Any) -> Any:
        return lists.joined(value) if isinstance(value, (list, tuple)) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)
