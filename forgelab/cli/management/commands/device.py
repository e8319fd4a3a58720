"""`forgelab device`: the machines of the homelab."""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

from django.core.management.base import CommandParser

from forgelab.cli import joining, keys, lookup, passwords, sleep, tables
from forgelab.cli.base import Failure, ForgeCommand, verbs
from forgelab.devices import hostkeys, services
from forgelab.devices.models import Device, Identity


class Command(ForgeCommand):
    help = "Add, join, list, show, set, refresh, trust and remove devices."

    def add_arguments(self, parser: CommandParser) -> None:
        verb = verbs(parser)
        add = verb("add", device_add, "Add a device that is reached by SSH.")
        add.add_argument("name", help="lowercase letters, digits and hyphens, such as homelab-server-01")
        add.add_argument("address", help="IP address or host name")
        add.add_argument("--user", default="root", help="root, or a user with passwordless sudo (default: %(default)s)")
        add.add_argument("--port", type=int, default=22, help="SSH port (default: %(default)s)")
        add.add_argument(
            "--key", type=Path, metavar="FILE", help="private SSH key to log in with (default: ForgeLab's own)"
        )
        keys.add_arguments(add)
        passwords.add_arguments(add)
        joining.add_verb(verb)
        sleep.add_verb(verb)
        verb("list", device_list, "List all devices.")
        for name, run, help in (
            ("show", device_show, "Show one device."),
            ("refresh", device_refresh, "Look at a device again."),
            ("remove", device_remove, "Forget a device; nothing on it is changed."),
        ):
            verb(name, run, help).add_argument("device", help="name, id or the beginning of an id")
        trust = verb("trust", device_trust, "Pin the host key that a device shows now, after it was installed anew.")
        trust.add_argument("device", help="name, id or the beginning of an id")
        keys.add_arguments(trust)


def device_add(chosen: argparse.Namespace) -> None:
    if Device.objects.filter(name=chosen.name).exists():
        raise Failure(f"There is a device {chosen.name} already. Show it: forgelab device show {chosen.name}")
    host_keys = keys.accepted(chosen.address, chosen.port, chosen)
    if passwords.is_wanted(chosen):
        device = passwords.device_add(chosen, host_keys)
        print(f"{device.name} is added: {_summary(device)}.")
        return
    identity, is_new = _identity(chosen.key, chosen.name) if chosen.key else (None, False)
    try:
        device = services.device_add(
            name=chosen.name, address=chosen.address, user=chosen.user, port=chosen.port,
            host_keys=host_keys, identity=identity,
        )  # fmt: skip
    except BaseException as error:
        if identity and is_new:
            identity.delete()
        if isinstance(error, (RuntimeError, ValueError)):
            raise Failure(f"{chosen.address} answers, but is no usable device: {error}.") from None
        raise
    print(f"{device.name} is added: {_summary(device)}.")


def _identity(path: Path, name: str) -> tuple[Identity, bool]:
    """The stored identity with this private key, and whether it had to be stored first."""
    text = path.expanduser().read_text()
    for identity in Identity.objects.all():
        if identity.private_key.strip() == text.strip():
            return identity, False
    taken = set(Identity.objects.values_list("name", flat=True))
    free = next(
        wanted for wanted in itertools.chain([name], (f"{name}-{n}" for n in itertools.count(2))) if wanted not in taken
    )
    return services.identity_add(name=free, private_key=text), True


def _summary(device: Device) -> str:
    system = f"{device.distribution} {device.distribution_version}".strip().capitalize()
    memory, disk = tables.gb(device.memory_total_mb), tables.gb(device.disk_free_mb)
    return f"{system}, {device.cores} cores, {memory} RAM, {disk} disk free"


def device_list(chosen: argparse.Namespace) -> None:
    rows = [
        (
            device.name, device.address, tables.status(device.status, device.get_status_display()),
            f"{tables.gb(device.memory_available_mb)} of {tables.gb(device.memory_total_mb)}", device.cores or "?",
            tables.gb(device.disk_free_mb), device.distribution, tables.ago(device.seen_at),
        )
        for device in Device.objects.all()
    ]  # fmt: skip
    columns = ("Name", "Address", "Status", "RAM free", "Cores", "Disk free", "System", "Seen")
    tables.show(columns, rows, "There is no device yet. Add one: forgelab device add NAME ADDRESS")


def device_show(chosen: argparse.Namespace) -> None:
    device = lookup.device(chosen.device)
    tables.pairs(
        [
            ("Name", device.name), ("Id", device.pk), ("Address", f"{device.user}@{device.address} port {device.port}"),
            ("Status", device.get_status_display()), ("Because", device.status_detail),
            ("Seen", tables.ago(device.seen_at)),
            ("System", f"{device.distribution} {device.distribution_version}".strip()), ("Model", device.model),
            ("Cores", device.cores),
            ("RAM", f"{tables.gb(device.memory_available_mb)} of {tables.gb(device.memory_total_mb)} free"),
            ("Disk", f"{tables.gb(device.disk_free_mb)} of {tables.gb(device.disk_total_mb)} free"),
            ("Disk kind", device.get_disk_kind_display()),
            ("Load", None if device.load_percent is None else f"{device.load_percent:.0f}%"),
            *sleep.machine(device),
            *(("Host key", f"{key.fingerprint} {key.kind}") for key in hostkeys.parse(device.host_keys)),
            ("Logs in with", device.identity.public_key), ("Servers", ", ".join(s.name for s in device.servers.all())),
        ]
    )  # fmt: skip


def device_refresh(chosen: argparse.Namespace) -> None:
    device = services.device_refresh(device=lookup.device(chosen.device))
    if device.misses:
        raise Failure(device.status_detail)
    print(f"{device.name} is reachable: {_summary(device)}.")


def device_trust(chosen: argparse.Namespace) -> int:
    device = lookup.device(chosen.device)
    for key in hostkeys.parse(device.host_keys):
        print(f"Pinned until now: {key.fingerprint}  {key.kind}")
    services.device_trust(device=device, host_keys=keys.accepted(device.address, device.port, chosen))
    print(f"The host key of {device.name} is pinned.")
    device_refresh(chosen)
    return 0


def device_remove(chosen: argparse.Namespace) -> None:
    device = lookup.device(chosen.device)
    services.device_remove(device=device)
    print(f"{device.name} is forgotten. Nothing on it was changed.")
