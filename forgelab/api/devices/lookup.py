"""A device as a request names it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from forgelab.devices.models import Device


def device_named(text: str) -> Device:
    """The device with this name or id. Raises Django's `ValidationError`."""
    device = Device.objects.filter(name=text).first() or _by_id(text)
    if device is None:
        raise ValidationError(f'There is no device "{text[:63]}".')
    return device


def _by_id(text: str) -> Device | None:
    try:
        return Device.objects.filter(pk=UUID(text)).first()
    except ValueError:
        return None


@extend_schema_field(OpenApiTypes.STR)
class DeviceField(serializers.Field[Any, Any, Any, Any]):
    """A device by id or name, as a query parameter."""

    default_error_messages = {"required": "Give a device's id or name."}

    def to_internal_value(self, data: str) -> Device:
        """Raises `ValidationError`."""
        try:
            return device_named(data)
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from None


class DeviceFormField(forms.Field):
    """A device by id or name, or None where nothing was given."""

    def clean(self, value: str | None) -> Device | None:
        """Raises `ValidationError`."""
        return None if value is None else device_named(value)


@extend_schema_field({"type": "string", "description": "Id or name of a device."})
class DeviceFilter(django_filters.Filter):
    """Rows of one device."""

    field_class = DeviceFormField
