"""Encryption of what is stored: Fernet (AES-128-CBC with HMAC-SHA256) with a list of keys, the first one current."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class DecryptionError(Exception):
    """A stored value was encrypted with a key that is not in FORGELAB_ENCRYPTION_KEYS."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be read: the key it was encrypted with is not in FORGELAB_ENCRYPTION_KEYS. "
            "Put the former key back behind the current one (comma separated) and start again."
        )


class Cipher:
    """Encrypts with the first key, decrypts with any of them, so that keys can be rotated.

    Raises `ValueError` from the constructor when `keys` is empty or one is not a Fernet key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("FORGELAB_ENCRYPTION_KEYS is empty: give one key or more, separated by commas.")
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Raises `DecryptionError` when no key fits or the token was altered."""
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise DecryptionError from error

    def rotate(self, token: str) -> str:
        """The same text encrypted again with the current key. Raises `DecryptionError` like `decrypt`."""
        try:
            return self._fernet.rotate(token.encode()).decode()
        except InvalidToken as error:
            raise DecryptionError from error
