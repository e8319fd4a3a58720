"""What the serializers of all resources share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from forgelab.lib.problems import did_you_mean

LONGEST_NAME = 100  # characters of an unknown key that are repeated


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses keys that it does not know: a misspelt key must not be ignored in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises `ValidationError` by field."""
        unknown = [name for name in data if name not in self.fields] if isinstance(data, dict) else []
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {
                    name[:LONGEST_NAME]: [
                        f"This is not a known key; known are {known}{did_you_mean(name, self.fields) or '.'}"
                    ]
                    for name in unknown
                }
            )
        return super().to_internal_value(data)


class OneOfField(serializers.ChoiceField):
    """A choice whose error names what is allowed."""

    def __init__(self, choices: Sequence[str], **more: Any) -> None:
        sentence = f'"{{input}}" is not one of {", ".join(choices)}.'
        super().__init__(choices, error_messages={"invalid_choice": sentence}, **more)


class WholeNumberField(serializers.IntegerField):
    """A number in decimal digits from 0 to `max_value`, as a query parameter carries it."""

    def to_internal_value(self, data: Any) -> int:
        """Raises `ValidationError`."""
        text = str(data)
        if not (text.isascii() and text.isdecimal() and len(text) < 16 and int(text) <= self.max_value):
            raise serializers.ValidationError(f'"{text[:40]}" is not a whole number from 0 to {self.max_value}.')
        return int(text)
