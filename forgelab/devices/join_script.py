"""The script by which a machine joins, and the report that it sends back."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from forgelab.devices import hostkeys
from forgelab.devices.hostkeys import HostKey
from forgelab.lib import names

SCRIPT = Path(__file__).with_name("join.sh")
USER = "forgelab"
LARGEST_REPORT = 16_384  # bytes; one with eight keys has 3000
LIMIT = 4  # addresses, and ports, that are tried
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def script(*, report_url: str, public_key: str) -> str:
    """The script, with what it is about put in as single words of the shell."""
    values = {"@USER@": USER, "@PUBLIC_KEY@": public_key, "@REPORT_URL@": report_url}
    # In one pass: what was put in is not looked at again.
    return re.sub("|".join(values), lambda place: shlex.quote(values[place[0]]), SCRIPT.read_text())


def refusal(sentence: str) -> str:
    """A script that says the sentence and ends with 1: `curl -f | sh` would do nothing, and look like a success."""
    return f"printf 'ForgeLab: %s\\n' {shlex.quote(sentence)} >&2\nexit 1\n"


@dataclass(frozen=True)
class Report:
    """What a machine said of itself. The addresses are its own ones, the MAC address that of its way out, or empty."""

    hostname: str
    ports: tuple[int, ...]
    host_keys: tuple[HostKey, ...]
    addresses: tuple[str, ...]
    mac_address: str

    @property
    def name(self) -> str:
        """Its host name as the name of a device, or as near as can be."""
        label = re.sub(r"[^a-z0-9]+", "-", self.hostname.partition(".")[0].lower()).strip("-")
        name = (label if label[:1].isalpha() else f"device-{label}")[:60].rstrip("-")
        return name if names.is_slug(name) else "device"


def parse(text: str) -> Report:
    """Read `name=value` lines. Raises `ValueError`, for the user, where there is no host key or SSH port among them."""
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        values.setdefault(name, []).append(value.strip())
    keys = tuple(hostkeys.parse("\n".join(values.get("host_key", []))))
    ports = tuple(
        int(port) for port in values.get("port", []) if re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 65536
    )
    if not keys or not ports:
        raise ValueError("The machine's report has no SSH host key or no SSH port. Is an SSH server installed there?")
    mac = next((mac.lower() for mac in values.get("mac", []) if MAC.fullmatch(mac.lower())), "")
    return Report(
        hostname=next(iter(values.get("hostname", [])), "")[:253],
        ports=tuple(dict.fromkeys(ports))[:LIMIT],
        host_keys=keys,
        addresses=usable(values.get("address", []))[:LIMIT],
        mac_address="" if mac == "00:00:00:00:00:00" else mac,
    )


def usable(texts: Iterable[str]) -> tuple[str, ...]:
    """Of these the addresses under which another machine may be reached, each once."""
    found = {}
    for text in texts:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        address = getattr(address, "ipv4_mapped", None) or address
        if not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified):
            found[str(address)] = True
    return tuple(found)
