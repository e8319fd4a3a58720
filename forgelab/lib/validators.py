"""Django validators for the names in `forgelab.lib.names`."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from forgelab.lib import names


def validate_slug(value: str) -> None:
    if problem := names.slug_problem(value):
        raise ValidationError(f'"{value}" is not a valid name: {problem}.', code="invalid_name")


def validate_user(value: str) -> None:
    if not names.is_user(value):
        raise ValidationError(f'"{value}" is not a valid user: {names.USER_RULE}.', code="invalid_user")


def validate_address(value: str) -> None:
    if not names.is_address(value):
        raise ValidationError(f'"{value}" is not a valid address: {names.ADDRESS_RULE}.', code="invalid_address")
