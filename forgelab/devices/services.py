"""What can be done with a device: add it, refresh it, trust its new key, remove it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, ProtectedError
from django.utils import timezone

from forgelab.accounts import audit
from forgelab.accounts.actors import Actor
from forgelab.accounts.policy import check
from forgelab.devices import facts, hostkeys, ssh
from forgelab.devices.identities import identity_add, identity_default
from forgelab.devices.metrics.status import MOST_MISSES, status_after_miss
from forgelab.devices.models import Device, Identity

__all__ = [
    "device_add", "device_observe", "device_refresh",
    "device_remove", "device_trust", "identity_add", "identity_default",
]  # fmt: skip
DECIDED = ("name", "address", "port", "user", "connection", "identity", "jump", "sleeps", "mac_address")
OBSERVED = [
    *({field.name for field in dataclasses.fields(facts.Facts)} - {"mac_address"}),
    "status", "status_detail", "seen_at", "misses",
]  # fmt: skip


def device_add(
    *,
    actor: Actor,
    name: str,
    address: str,
    host_keys: list[hostkeys.HostKey],
    user: str = "root",
    port: int = 22,
    identity: Identity | None = None,
    jump: Device | None = None,
    connection: str = Device.Connection.SSH,
    action: str = "device.add",
) -> Device:
    """Add a device whose `host_keys` the user has seen and accepted, and look at it once.

    It is reached through the device `jump` if there is one. With `connection` "local" it is the machine that ForgeLab
    runs on: it has neither host keys nor identity, and its user is ForgeLab's own. Raises `ValidationError` naming the
    field and `ssh.DeviceUnreachable` when the login does not work; then nothing is stored.
    `action` is the name for the audit, where it is not simply added.
    """
    check(actor, action)
    if connection == Device.Connection.LOCAL:
        user, port, identity = ssh.local_user(), 22, None
    else:
        identity = identity or identity_default()
    device = Device(
        name=name, address=address, user=user, port=port, identity=identity, jump=jump, connection=connection,
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
    with transaction.atomic():
        device.save()
        audit.record(actor=actor, action=action, obj=device, after=audit.state(device, *DECIDED))
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


def device_refresh(*, device: Device, actor: Actor) -> Device:
    """Somebody asks for it: as `device_observe`, with an entry in the audit."""
    check(actor, "device.refresh", device)
    _ask(device)
    with transaction.atomic():
        _store_observed(device)
        audit.record(actor=actor, action="device.refresh", obj=device, after=audit.state(device, "status"))
    return device


def device_observe(*, device: Device) -> Device:
    """Read the device's facts again and store them; when it cannot be reached, store that instead of raising.

    `misses` is 0 when it answered just now: one miss does not yet make it unreachable.
    """
    _ask(device)
    _store_observed(device)
    return device


def _ask(device: Device) -> None:
    try:
        _take_facts(device, facts.parse(ssh.run_script(device, facts.SCRIPT)))
    except (ssh.DeviceUnreachable, RuntimeError, ValueError) as error:
        device.misses = min(device.misses + 1, MOST_MISSES)
        device.status = status_after_miss(device, key_changed=isinstance(error, ssh.HostKeyChanged))
        device.status_detail = str(error).replace(
            "\0", ""
        )  # part of it is the device's own, and no database takes that


def _store_observed(device: Device) -> None:
    # Only what was observed: meanwhile somebody may have trusted another key or changed the address.
    device.save(update_fields=OBSERVED)
    Device.objects.filter(pk=device.pk, mac_address="").update(mac_address=device.mac_address)
    device.refresh_from_db()


def _take_facts(device: Device, found: facts.Facts) -> None:
    known = device.mac_address
    for name, value in dataclasses.asdict(found).items():
        setattr(device, name, value)
    device.mac_address = known or found.mac_address  # a person may know better
    device.status, device.status_detail = Device.Status.REACHABLE, ""
    device.seen_at, device.misses = timezone.now(), 0


def device_trust(*, device: Device, host_keys: list[hostkeys.HostKey], actor: Actor) -> Device:
    """Pin other host keys, on purpose: the user has compared their fingerprints. That it was unreachable is void.

    Raises `ValidationError` naming `host_keys` when that is empty.
    """
    check(actor, "device.trust", device)
    if not host_keys:
        raise ValidationError({"host_keys": "Give at least one key; with none no connection would be accepted."})
    if device.connection == Device.Connection.LOCAL:
        raise ValidationError(
            {"host_keys": f"{device.name} is this machine: it is not reached by SSH and has no keys."}
        )
    before = {"fingerprints": [key.fingerprint for key in hostkeys.parse(device.host_keys)]}
    device.host_keys = "\n".join(str(key) for key in host_keys)
    if device.status == Device.Status.UNREACHABLE:
        device.status, device.status_detail, device.misses = Device.Status.UNKNOWN, "", 0
    after = {"fingerprints": [key.fingerprint for key in host_keys]}
    with transaction.atomic():
        device.save(update_fields=["host_keys", "status", "status_detail", "misses"])
        audit.record(actor=actor, action="device.trust", obj=device, before=before, after=after)
    return device


@transaction.atomic
def device_remove(*, device: Device, actor: Actor) -> None:
    """Forget a device and the record of its runs. Raises `ValidationError` with the list of what still stands on it."""
    check(actor, "device.remove", device)
    audit.record(actor=actor, action="device.remove", obj=device, before=audit.state(device, *DECIDED))
    try:
        device.delete()
    except ProtectedError as error:
        raise ValidationError(_still_needed(device, error.protected_objects)) from None


def _still_needed(device: Device, protected: Iterable[Model]) -> str:
    """The sentence for what must go first."""
    behind = sorted(str(item) for item in protected if isinstance(item, Device))
    servers = sorted({str(item) for item in protected if not isinstance(item, Device)})
    reasons = []
    if servers:
        reasons.append(f"{', '.join(servers)} {'is' if len(servers) == 1 else 'are'} still on it")
    if behind:
        reasons.append(f"{', '.join(behind)} {'is' if len(behind) == 1 else 'are'} reached through it")
    return f"{device.name} cannot be removed: {', and '.join(reasons)}. Remove that first."
