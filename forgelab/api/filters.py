"""What the filters of all lists share: a value that cannot be is refused, an empty one too."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request


class FilterBackend(DjangoFilterBackend):
    """Filters a list by the `filterset_class` of its view."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """Raises `ValidationError` by parameter. The base class takes a % that a person typed for a placeholder."""
        filterset = self.get_filterset(request, queryset, view)
        if not filterset.is_valid():
            raise ValidationError({name: list(messages) for name, messages in filterset.errors.items()})
        return filterset.qs


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
