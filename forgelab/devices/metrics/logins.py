"""How asyncssh logs in to a device, and what it says when that fails, in the words of all of ForgeLab."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import asyncssh

from forgelab.devices import connection_errors
from forgelab.devices.metrics.probe import ProbeFailed
from forgelab.devices.models import Device

CONNECT_TIMEOUT = 10  # seconds until TCP answers
LOGIN_TIMEOUT = 15  # seconds for keys and login after that
KEEPALIVE = 30  # seconds; two that are not answered end the connection


def login(device: Device) -> str:
    """What a connection depends on, as one word: when it changes, the kept one is of no use."""
    key = device.identity.private_key if device.identity else ""
    through = login(device.jump) if device.jump else ""
    parts = (device.connection, device.address, str(device.port), device.user, device.host_keys, key, through)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def options(device: Device) -> dict[str, Any]:
    """How asyncssh is to log in: only with the device's own key, only at one of the pinned keys, nothing of this user's
    configuration or agent. Raises `ProbeFailed` for keys that cannot be read."""
    try:
        pinned = [asyncssh.import_public_key(line) for line in device.host_keys.splitlines() if line.strip()]
        keys = [asyncssh.import_private_key(device.identity.private_key)] if device.identity else []
    except (asyncssh.KeyImportError, ValueError) as error:
        raise ProbeFailed(f"The keys of {device.name} cannot be read: {error}", refused=True) from None
    return {
        "host": device.address, "port": device.port, "username": device.user, "client_keys": keys,
        "known_hosts": (pinned, [], []), "preferred_auth": "publickey", "agent_path": None, "config": None,
        "x509_trusted_certs": None, "connect_timeout": CONNECT_TIMEOUT, "login_timeout": LOGIN_TIMEOUT,
        "keepalive_interval": KEEPALIVE, "keepalive_count_max": 2,
    }  # fmt: skip


class Client(asyncssh.SSHClient):
    """Remembers which key was shown in place of a pinned one, and trusts none."""

    def __init__(self, shown: list[str]) -> None:
        self.shown = shown

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.shown.append(key.get_fingerprint())
        return False


@contextlib.contextmanager
def explained(device: Device, shown: Sequence[str] = ()) -> Iterator[None]:
    """Translate asyncssh's errors into the words that every other part of ForgeLab uses."""
    try:
        yield
    except asyncssh.HostKeyNotVerifiable:
        raise ProbeFailed(connection_errors.key_changed(device, shown), key_changed=True) from None
    except asyncssh.PermissionDenied:
        raise ProbeFailed(connection_errors.refused(device), refused=True) from None
    except asyncssh.KeyExchangeFailed as error:
        if "host key" in str(error):  # it has no key of a pinned kind any more, so another answers
            raise ProbeFailed(connection_errors.key_changed(device, shown), key_changed=True) from None
        raise ProbeFailed(connection_errors.silent(device, str(error))) from None
    except asyncssh.ChannelOpenError as error:
        prohibited = device.jump and error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED
        detail = (
            connection_errors.let_nobody_through(device)
            if prohibited
            else connection_errors.silent(device, error.reason)
        )
        raise ProbeFailed(detail) from None
    except OSError as error:
        known = isinstance(error.errno, int) and error.errno > 0
        raise ProbeFailed(connection_errors.silent(device, os.strerror(error.errno) if known else str(error))) from None
    except (asyncssh.Error, UnicodeError) as error:
        raise ProbeFailed(connection_errors.silent(device, str(error))) from None
