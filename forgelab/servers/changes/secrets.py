"""A server's secrets, such as the password of its database: generated once, kept encrypted in `Server.secrets`."""

from __future__ import annotations

import secrets
import string

from forgelab.servers.spec.server_spec import ServerSpec

ALPHABET = string.ascii_letters + string.digits  # no character that any configuration file or URL treats specially


def complete_secrets(spec: ServerSpec) -> dict[str, str]:
    """Those that the server has, and a new value for each that its recipe declares and the server lacks."""
    return {secret.name: _generated(secret.length) for secret in spec.recipe.secrets} | dict(spec.secrets)


def _generated(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
