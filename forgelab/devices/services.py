"""What can be done with a device: add it, look at it again, trust its new key, remove it."""

from __future__ import annotations

import dataclasses
import subprocess
import tempfile
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError
from django.utils import timezone

from forgelab.devices import facts, hostkeys, ssh
from forgelab.devices.models import Device, Identity

DEFAULT_IDENTITY = "forgelab"
OBSERVED = [
    *(field.name for field in dataclasses.fields(facts.Facts)), "status", "status_detail", "seen_at", "misses",
]  # fmt: skip


def identity_add(*, name: str, private_key: str) -> Identity:
    """Store a private key (OpenSSH or PEM, without passphrase). Raises `ValidationError` naming `private_key`."""
    identity = Identity(name=name, private_key=private_key, public_key=_public_half(private_key))
    identity.full_clean()
    identity.save()
    return identity


def identity_default() -> Identity:
    """ForgeLab's own ed25519 key, made at the first use."""
    existing = Identity.objects.filter(name=DEFAULT_IDENTITY).first()
    if existing:
        return existing
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        path = Path(folder) / "id"
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "forgelab", "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        private_key = path.read_text()
    try:
        with transaction.atomic():
            return identity_add(name=DEFAULT_IDENTITY, private_key=private_key)
    except (ValidationError, IntegrityError):  # another process was faster: there is one key, and it is theirs
        return Identity.objects.get(name=DEFAULT_IDENTITY)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a tmpfs: keys must not touch a disk


def _public_half(private_key: str) -> str:
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        path = Path(folder) / "id"
        path.touch(mode=0o600)
        path.write_text(private_key.rstrip("\n") + "\n")
        command = ["ssh-keygen", "-y", "-P", "", "-f", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise ValidationError(
            {
                "private_key": "This is not a private SSH key without passphrase. "
                "Give the file that ssh-keygen made, the one without .pub."
            }
        )
    return done.stdout.strip()


def device_add(
    *,
    name: str,
    address: str,
    host_keys: list[hostkeys.HostKey],
    user: str = "root",
    port: int = 22,
    identity: Identity | None = None,
) -> Device:
    """Add a device whose `host_keys` the user has seen and accepted, and look at it once.

    Raises `ValidationError` naming the field and `ssh.DeviceUnreachable` when the login does not work; then nothing is
    stored.
    """
    device = Device(
        name=name, address=address, user=user, port=port, identity=identity or identity_default(),
        host_keys="\n".join(str(key) for key in host_keys),
    )  # fmt: skip
    device.full_clean()
    try:
        _take_facts(device, facts.parse(ssh.run_script(device, facts.SCRIPT)))
    except (RuntimeError, ValueError) as error:
        raise ValidationError(
            {"address": f"{name} answers, but not like a Linux system that ForgeLab knows: {error}. Debian, Ubuntu "
                        "and Raspberry Pi OS are supported."}
        ) from None  # fmt: skip
    _check_root(device)
    device.save()
    return device


def _check_root(device: Device) -> None:
    try:
        answer = ssh.run_script(device, "id -u", root=True)
    except RuntimeError:
        answer = ""
    if answer.strip() != "0":
        raise ValidationError(
            {"user": f"{device.user} cannot become root on {device.name} without a password. Run there, as root: "
                     f"echo '{device.user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/forgelab"}
        )  # fmt: skip


def device_refresh(*, device: Device) -> Device:
    """Look at the device again and store what it says; when it cannot be reached, store that instead of raising."""
    try:
        _take_facts(device, facts.parse(ssh.run_script(device, facts.SCRIPT)))
    except (ssh.DeviceUnreachable, RuntimeError, ValueError) as error:
        device.status, device.status_detail = Device.Status.UNREACHABLE, str(error)
        device.misses = F("misses") + 1
    # Only what was observed: meanwhile somebody may have trusted another key or changed the address.
    device.save(update_fields=OBSERVED)
    device.refresh_from_db()
    return device


def _take_facts(device: Device, found: facts.Facts) -> None:
    for name, value in dataclasses.asdict(found).items():
        setattr(device, name, value)
    device.status, device.status_detail = Device.Status.REACHABLE, ""
    device.seen_at, device.misses = timezone.now(), 0


def device_trust(*, device: Device, host_keys: list[hostkeys.HostKey]) -> Device:
    """Pin other host keys, on purpose: the user has compared their fingerprints.

    Raises `ValidationError` naming `host_keys` when there is none.
    """
    if not host_keys:
        raise ValidationError({"host_keys": "Give at least one key; with none no connection would be accepted."})
    device.host_keys = "\n".join(str(key) for key in host_keys)
    device.save(update_fields=["host_keys"])
    return device


@transaction.atomic
def device_remove(*, device: Device) -> None:
    """Forget a device and the record of its runs. Raises `ValidationError` with the list of what still stands on it."""
    try:
        device.delete()
    except ProtectedError as error:
        names = ", ".join(sorted({str(item) for item in error.protected_objects}))
        names += " is" if len(error.protected_objects) == 1 else " are"
        raise ValidationError(f"{device.name} cannot be removed: {names} still on it. Remove that first.") from None
