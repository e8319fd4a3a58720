"""The keys that ForgeLab logs in with: one of its own, and those a person brings."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices.models import Identity

DEFAULT_IDENTITY = "forgelab"
NO_KEY = "This is not a private SSH key. Give the file that ssh-keygen made, the one without .pub."
# ssh-keygen asks this program for the passphrase: it must be neither in the arguments nor in the environment, which
# other processes can read.
ASKPASS = '#!/bin/sh\nexec cat "$FORGELAB_PASSPHRASE_FILE"\n'


@transaction.atomic
def identity_add(*, name: str, private_key: str, passphrase: str = "", actor: Actor) -> Identity:
    """Store a private key that a person brings, as `identity_store` does, with an entry in the audit."""
    check(actor, "identity.add")
    identity = identity_store(name=name, private_key=private_key, passphrase=passphrase)
    audit.record(actor=actor, action="identity.add", obj=identity, after=audit.state(identity, "name", "public_key"))
    return identity


def identity_store(*, name: str, private_key: str, passphrase: str = "") -> Identity:
    """Store a private key (OpenSSH or PEM). One with a passphrase is opened with it, and stored without.

    Raises `ValidationError` naming `passphrase` when it is missing or wrong, and `private_key` when that is not a key.
    """
    opened, public_key = _opened(private_key, passphrase)
    identity = Identity(name=name, private_key=opened, public_key=public_key)
    identity.full_clean()
    identity.save()
    return identity


def identity_find(private_key: str, passphrase: str = "") -> Identity | None:
    """The stored identity with this key. Raises `ValidationError` as `identity_add` does."""
    _, public_key = _opened(private_key, passphrase)
    return next((known for known in Identity.objects.all() if _same_key(known.public_key, public_key)), None)


def identity_default() -> Identity:
    """ForgeLab's own ed25519 key, made at the first use."""
    existing = Identity.objects.filter(name=DEFAULT_IDENTITY).first()
    if existing:
        return existing
    with _private_folder() as folder:
        path = folder / "id"
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "forgelab", "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        private_key = path.read_text()
    try:
        with transaction.atomic():
            return identity_store(name=DEFAULT_IDENTITY, private_key=private_key)
    except (ValidationError, IntegrityError):  # another process was faster: there is one key, and it is theirs
        return Identity.objects.get(name=DEFAULT_IDENTITY)


def _same_key(one: str, other: str) -> bool:
    """Whether two public keys differ at most in their comments."""
    return one.split()[:2] == other.split()[:2]


@contextmanager
def _private_folder() -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - a tmpfs: keys must not touch a disk
    with tempfile.TemporaryDirectory(prefix="forgelab-key-", dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def _opened(private_key: str, passphrase: str) -> tuple[str, str]:
    """The key without passphrase, and its public half."""
    with _private_folder() as folder:
        path = _write(folder / "id", private_key.replace("\r\n", "\n").strip("\n") + "\n")
        public, error = _public_half(path)
        if "incorrect passphrase" in error:
            _remove_passphrase(path, passphrase)
            public, error = _public_half(path)
        if error:
            raise ValidationError({"private_key": NO_KEY})
        return path.read_text(), public


def _write(path: Path, text: str) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
    return path


def _public_half(path: Path) -> tuple[str, str]:
    """The public key, or why there is none."""
    command = ["ssh-keygen", "-y", "-P", "", "-f", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return (done.stdout.strip(), "") if done.returncode == 0 else ("", done.stderr or "no answer")


def _remove_passphrase(path: Path, passphrase: str) -> None:
    """Open the key file with ssh-keygen, which knows all formats. Raises `ValidationError` naming `passphrase`."""
    if not passphrase:
        raise ValidationError(
            {"passphrase": "This key is protected by a passphrase. Give it: it opens the key once and is not stored."}
        )
    with tempfile.TemporaryDirectory(prefix="forgelab-askpass-") as name:  # where programs may run, unlike in memory
        program = Path(name) / "askpass"
        program.write_text(ASKPASS)
        program.chmod(0o700)
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "DISPLAY": ":0",
            "SSH_ASKPASS": str(program),
            "SSH_ASKPASS_REQUIRE": "force",
            "FORGELAB_PASSPHRASE_FILE": str(_write(path.with_name("passphrase"), f"{passphrase}\n")),
        }
        command = ["ssh-keygen", "-p", "-N", "", "-f", str(path)]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
            start_new_session=True,
        )  # fmt: skip
    if "ssh_askpass:" in done.stderr:
        raise ValidationError({"passphrase": f"ssh-keygen could not be given the passphrase here: {done.stderr}"})
    if done.returncode:
        raise ValidationError({"passphrase": "This passphrase does not open the key."})
