"""Public host keys, read from what OpenSSH writes and identified by their fingerprints. Pure."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

PREFERENCE = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


@dataclass(frozen=True)
class HostKey:
    """One public host key: `kind` such as ssh-ed25519, and its base64 text."""

    kind: str
    base64: str

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it: SHA256 and unpadded base64."""
        digest = hashlib.sha256(base64.b64decode(self.base64)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def __str__(self) -> str:
        return f"{self.kind} {self.base64}"


def parse(text: str) -> list[HostKey]:
    """The keys in known_hosts lines or in pinned `type base64` lines, best kind first."""
    keys = []
    for line in text.splitlines():
        fields = line.split()
        start = next((i for i, field in enumerate(fields) if field in PREFERENCE), None)
        if start is not None and len(fields) > start + 1 and _is_key(fields[start], fields[start + 1]):
            keys.append(HostKey(fields[start], fields[start + 1]))
    return sorted(set(keys), key=lambda key: PREFERENCE.index(key.kind))


def _is_key(kind: str, text: str) -> bool:
    """Whether the base64 text is a key of that kind: it begins with the length and the name of it (RFC 4253, 6.6)."""
    try:
        return base64.b64decode(text, validate=True)[4 : 4 + len(kind)] == kind.encode()
    except ValueError:  # binascii.Error is one, and what is not ASCII is another
        return False
