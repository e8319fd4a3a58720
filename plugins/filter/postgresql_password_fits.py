"""Whether a password is the one that PostgreSQL has stored, without moving the stored verifier off the device."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable

DOCUMENTATION = r"""
name: postgresql_password_fits
short_description: Whether a password is the one that PostgreSQL has stored
description:
  - Compares without moving the stored verifier off the device. Its fingerprint is the beginning of its SHA-256.
  - What cannot be decided counts as no, such as a password that is not ASCII or one that is stored in another way.
author: ForgeLab
positional: stored
options:
  _input: {description: The password., type: str, required: true}
  stored: {description: "iterations:salt:fingerprint of the SCRAM-SHA-256 verifier.", type: str, required: true}
"""

EXAMPLES = r"""
- name: Show whether the password is the stored one
  ansible.builtin.debug:
    msg: "{{ postgresql_password | forgelab.homelab.postgresql_password_fits(stored) }}"
"""

RETURN = r"""
_value: {description: Whether it is., type: bool}
"""

FINGERPRINT = 8  # hexadecimal digits


def scram_verifier(password: str, salt: bytes, iterations: int) -> str:
    """What PostgreSQL stores in pg_authid.rolpassword for a password that is ASCII (RFC 5803, SCRAM-SHA-256)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${iterations}:{salt_text}${stored_text}:{server_text}"


def postgresql_password_fits(password: str, stored: str | None) -> bool:
    """Whether `password` is the stored one, as far as can be decided from "iterations:salt:fingerprint".

    The fingerprint is the beginning of the SHA-256 of the whole verifier. Anything that cannot be decided counts as no:
    a password that is not ASCII (PostgreSQL normalizes those), or one that is stored in another way.
    """
    if not stored or not password.isascii():
        return False
    try:
        iterations, salt, fingerprint = str(stored).split(":")
        verifier = scram_verifier(password, base64.b64decode(salt, validate=True), int(iterations))
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hashlib.sha256(verifier.encode()).hexdigest()[:FINGERPRINT], fingerprint)


class FilterModule:
    """Filters of the role postgresql."""

    def filters(self) -> dict[str, Callable[..., bool]]:
        """Filter functions by name."""
        return {"postgresql_password_fits": postgresql_password_fits}
