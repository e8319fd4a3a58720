"""Values as the audit may keep them: JSON, without secrets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Field, Model

from forgelab.lib.fields import EncryptedTextField

MASK = "•••"
SECRET_NAME = re.compile(r"password|passwd|passphrase|secret|token|private_key|credential|digest", re.IGNORECASE)
SHORTEST = 4  # characters: a shorter secret stands in too many words to be looked for


def state(obj: Model, *names: str) -> dict[str, Any]:
    """The object's fields by name, all of them or those given. Encrypted fields are masked whatever they hold."""
    fields = [field for field in obj._meta.concrete_fields if not names or field.name in names]
    return {field.name: _value(obj, field) for field in fields}


def _value(obj: Model, field: Field[Any, Any]) -> Any:
    if isinstance(field, EncryptedTextField):
        return MASK
    return field.value_from_object(obj)


def known_secrets(obj: Model | None) -> set[str]:
    """Every text in the object's encrypted fields."""
    fields = [field for field in obj._meta.concrete_fields if isinstance(field, EncryptedTextField)] if obj else []
    return {text for field in fields for text in _texts(field.value_from_object(obj)) if len(text) >= SHORTEST}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def masked(value: Any, secrets: Collection[str], name: str = "") -> Any:
    """The value as JSON; hidden where its name says that it is secret, or where one of `secrets` stands in it."""
    if isinstance(value, Mapping):
        return {str(key): masked(item, secrets, str(key)) for key, item in value.items()}
    if value not in (None, "", True, False) and SECRET_NAME.search(name):
        return MASK
    if isinstance(value, (list, tuple, set, frozenset)):
        return [masked(item, secrets, name) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = value.isoformat() if isinstance(value, (date, datetime)) else str(value)
    return _without(text.replace("\0", ""), secrets)


def _without(text: str, secrets: Collection[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
