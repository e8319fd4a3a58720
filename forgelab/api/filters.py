"""What the filters of all lists share: a value that cannot be is refused, an empty one too."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms


class OneOfFormField(forms.Field):
    """One of `choices`, or None where nothing was given."""

    def __init__(self, *, choices: list[tuple[str, str]], **more: Any) -> None:
        super().__init__(**more)
        self.choices = choices

    def clean(self, value: str | None) -> str | None:
        """Raises `ValidationError` naming what is allowed."""
        allowed = [name for name, _ in self.choices]
        if value is not None and value not in allowed:
            raise forms.ValidationError(f'"{value}" is not one of {", ".join(allowed)}.')
        return value


class OneOfFilter(django_filters.ChoiceFilter):
    """Rows with exactly this value."""

    field_class = OneOfFormField

    def filter(self, rows: Any, value: str | None) -> Any:
        return rows if value is None else rows.filter(**{self.field_name: value})
