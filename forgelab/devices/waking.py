"""Wake-on-LAN: the magic packet, where it is sent, and waiting until the device answers."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface
from typing import Any

import wakeonlan
from django.conf import settings

from forgelab.devices import ssh
from forgelab.devices.models import Device

logger = logging.getLogger(__name__)

PORT = 9  # "discard", where a card looks for its packet; any port would do
POINT_TO_POINT = 31  # a net whose prefix is as long or longer has no broadcast address
SEND_AGAIN = 10  # seconds: a packet is never acknowledged and may be lost
LOOK_AGAIN = 2  # seconds
# Run on the device through which a sleeping one is reached: only it is on the same wire. Python is there, as Ansible
# needs it anyway.
FROM_THE_JUMP = r"""
import ipaddress, json, socket, subprocess, sys
mac, address = {mac!r}, socket.gethostbyname({address!r})
def ip(*words): return json.loads(subprocess.check_output(["ip", "-j", "-4", *words]))
way = ip("route", "get", address)[0]
here = ip("addr", "show", "dev", way["dev"])[0]["addr_info"][0]
net = ipaddress.ip_interface("%s/%s" % (here["local"], here["prefixlen"])).network
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
out.bind((here["local"], 0))
out.sendto(bytes.fromhex("f" * 12 + mac.replace(":", "") * 16), (str(net.broadcast_address), {port}))
"""


class StillAsleep(Exception):
    """The device does not answer, and could not be woken. The message is for the user."""


class GivenUp(Exception):
    """The waiter does not wait any longer."""


@dataclass(frozen=True)
class Wire:
    """Where a packet for a device goes: out of the card that has the address `source`, to all on its wire."""

    source: str
    broadcast: str


def awaken(device: Device, *, patience: float | None = None, go_on: Callable[[], bool] = lambda: True) -> bool:
    """Have the device answer by SSH: at once when it is awake, else woken and waited for. Whether it had to be woken.

    `patience` is seconds. `go_on` is asked every few seconds, and ends the waiting by False. Raises `StillAsleep`,
    `GivenUp`, and `ssh.HostKeyChanged` when somebody else answers.
    """
    patience = settings.WAKE_SECONDS if patience is None else patience
    detail = _no_answer(device)
    if detail is None:
        return False
    if not device.mac_address:
        raise StillAsleep(
            f"{device.name} sleeps, and cannot be woken: the address of its network card is not known. Wake it by "
            f"hand and run `forgelab device refresh {device.name}`, or give it: forgelab device update {device.name} "
            f"--mac-address 52:54:00:12:34:56"
        )
    deadline, sent = time.monotonic() + patience, -float(SEND_AGAIN)
    while time.monotonic() < deadline:
        if not go_on():
            raise GivenUp
        if time.monotonic() - sent >= SEND_AGAIN:
            send(device)
            sent = time.monotonic()
        time.sleep(min(LOOK_AGAIN, max(0.0, deadline - time.monotonic())))
        detail = _no_answer(device)
        if detail is None:
            logger.info("%s is awake", device.name)
            return True
    raise StillAsleep(
        f"{device.name} sleeps and did not wake up within {patience:g} seconds. Is wake-on-LAN switched on in its "
        f"firmware and system (`ethtool CARD` there shows `Wake-on: g`), and is {device.mac_address} the address of "
        f"its network card? {detail}"
    )


def _no_answer(device: Device) -> str | None:
    """Why the device does not answer; None when it does."""
    try:
        ssh.run_script(device, ":", timeout=10, connect_timeout=3)
    except ssh.HostKeyChanged:
        raise
    except ssh.DeviceUnreachable as error:
        return str(error)
    except RuntimeError:  # it answers, and what is wrong with its shell is reported better elsewhere
        return None
    return None


def send(device: Device) -> None:
    """Send the magic packet. Raises `StillAsleep` when there is no way to the device's wire."""
    try:
        if device.jump:
            script = FROM_THE_JUMP.format(mac=device.mac_address, address=device.address, port=PORT)
            ssh.run_script(device.jump, f"python3 - <<'FORGELAB'\n{script}FORGELAB\n")
        else:
            wire = wire_to(device.address)
            wakeonlan.wake(device.mac_address, host=wire.broadcast, port=PORT, interface=wire.source)
    except (OSError, LookupError, ValueError, RuntimeError, subprocess.SubprocessError, ssh.DeviceUnreachable) as error:
        through = f" from {device.jump.name}" if device.jump else ""
        raise StillAsleep(f"{device.name} sleeps, and no packet to wake it can be sent{through}: {error}") from error
    logger.info("sent the packet that wakes %s (%s)", device.name, device.mac_address)


def wire_to(address: str) -> Wire:
    """The wire that leads to the address (or host name): that of the card which packets for it leave by.

    Raises `OSError`, `LookupError` or `ValueError` when it has no such card.
    """
    target = str(socket.getaddrinfo(address, None, type=socket.SOCK_DGRAM)[0][4][0]).partition("%")
    card = str(_ip("route", "get", target[0], *(("dev", target[2]) if target[2] else ()))[0]["dev"])
    rows = _ip("-4", "addr", "show", "dev", card)[0].get("addr_info") or []
    wires = [ip_interface(f"{row['local']}/{row['prefixlen']}") for row in rows if row["prefixlen"] < POINT_TO_POINT]
    # A card may have several addresses: that of the device's own net comes first.
    wires.sort(key=lambda wire: ip_address(target[0]) not in wire.network)
    if not wires:
        raise LookupError(f"the card {card} that leads to {address} has no IPv4 address whose net has a broadcast")
    return Wire(str(wires[0].ip), str(wires[0].network.broadcast_address))


def _ip(*words: str) -> list[dict[str, Any]]:
    done = subprocess.run(["ip", "-j", *words], capture_output=True, text=True, timeout=10, check=False)
    if done.returncode:
        raise LookupError(done.stderr.strip() or f"ip {' '.join(words)} failed")
    found = [row for row in json.loads(done.stdout or "[]") if row]
    if not found:
        raise LookupError(f"ip {' '.join(words)} has no answer")
    return found
