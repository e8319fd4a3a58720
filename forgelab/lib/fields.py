"""Model fields whose value is encrypted in the database."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from forgelab.lib.encryption import Cipher


@lru_cache(maxsize=4)
def _cipher_for(keys: tuple[str, ...]) -> Cipher:
    return Cipher(keys)


def cipher() -> Cipher:
    """The cipher of this installation, from `settings.ENCRYPTION_KEYS`."""
    return _cipher_for(tuple(settings.ENCRYPTION_KEYS))


if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField

SERIALIZED = "encrypted:"  # before a value in a fixture (dumpdata), which is a file like any other
FERNET = "gAAAAA"  # how every token begins: version 0x80 and the first bytes of a timestamp


class EncryptedTextField(_TextField):
    """Text that is encrypted at rest and in fixtures. It cannot be filtered by; an empty string stays empty."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return cipher().encrypt(value) if value else value

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return cipher().decrypt(value) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def value_to_string(self, obj: models.Model) -> str:
        token = self.get_prep_value(self.value_from_object(obj))
        return f"{SERIALIZED}{token}" if token else ""

    def to_python(self, value: Any) -> Any:
        return cipher().decrypt(value.removeprefix(SERIALIZED)) if _is_serialized(value) else super().to_python(value)


def _is_serialized(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(SERIALIZED + FERNET)


class EncryptedJSONField(EncryptedTextField):
    """Anything JSON can hold, encrypted at rest."""

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else super().get_prep_value(json.dumps(value))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        text = super().from_db_value(value, expression, connection)
        return json.loads(text) if text else None

    def to_python(self, value: Any) -> Any:
        return json.loads(super().to_python(value)) if _is_serialized(value) else value
