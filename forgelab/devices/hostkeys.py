"""Host keys: fetching those a device shows, and telling them by fingerprint."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from dataclasses import dataclass

PREFERENCE = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


class HostKeyError(Exception):
    """A device's host keys could not be fetched, or are not the expected ones. The message is for the user."""


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


def scan(address: str, port: int, timeout: int = 5) -> list[HostKey]:
    """The keys that the device shows now (ssh-keyscan), best kind first; `timeout` in seconds.

    Raises `HostKeyError` when nothing answers there, or ssh-keyscan is missing.
    """
    command = ["ssh-keyscan", "-T", str(timeout), "-p", str(port), "-t", "ed25519,ecdsa,rsa", "--", address]
    try:
        done = subprocess.run(command, capture_output=True, timeout=4 * timeout, check=False)
        keys = parse(done.stdout.decode(errors="replace"))
    except FileNotFoundError:
        raise HostKeyError("ssh-keyscan is missing here: install the package openssh-client.") from None
    except subprocess.TimeoutExpired:
        keys = []
    if not keys:
        raise HostKeyError(
            f"No SSH server answers at {address} port {port}. Is the device switched on, is the address right, "
            f"and is openssh-server installed? Try: ssh -p {port} {address}"
        )
    return keys
