"""One bridge, a namespace with one cable per device, and the package proxy. Nothing is forwarded beyond the bridge.

Every device has an IPv4 and, where the kernel has IPv6, a unique local IPv6 address. There is no way out by either.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

from .errors import LabError
from .processes import PidFile, last_lines, run, start_daemon, wait_until
from .registries import Registries, read_registries
from .site import PROXY_PORT, Site

RULE_PRIORITY = "100"
IPV6 = Path("/proc/sys/net/ipv6/conf")  # missing where the kernel has none
# Every systemd takes 6 or 7 inotify instances, all counted on root: the kernel's 128 are used up by 18 devices.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES = 4096


class Network:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.proxy = PidFile(site.dir / "proxy.pid")

    @property
    def is_up(self) -> bool:
        return Path(f"/sys/class/net/{self.site.bridge}").exists()

    @property
    def registries_path(self) -> Path:
        return self.site.dir / "registries.json"

    def up(self) -> None:
        """Make what is missing of bridge, routes and proxy; raises LabError when the network is in use elsewhere."""
        if not self.is_up:
            self._refuse_a_network_in_use()
            self._add_bridge()
        self._add_ipv6()
        if self.proxy.pid() is None:
            self._start_proxy()
        if int(INOTIFY.read_text()) < INOTIFY_INSTANCES:
            INOTIFY.write_text(str(INOTIFY_INSTANCES))

    def down(self, keep_unreachable: bool = True) -> None:
        """Remove proxy, bridge and rules. The `unreachable` route stays by default: a late retry by a
        client of a removed device then fails at once, here, and never leaves the machine."""
        bridge, table = self.site.bridge, self.site.routing_table
        self.proxy.end()
        if self.is_up:
            run("ip", "link", "del", bridge)
        run("ip", "rule", "del", "priority", RULE_PRIORITY, "iif", bridge, "lookup", table, check=False)
        run("ip", "route", "flush", "table", table, check=False)
        run("ip", "-6", "rule", "del", "priority", RULE_PRIORITY, "iif", bridge, "lookup", table, check=False)
        run("ip", "-6", "route", "flush", "table", table, check=False)
        if not keep_unreachable:
            run("ip", "route", "del", "unreachable", f"{self.site.net}.0/24", check=False)
            run("ip", "-6", "route", "del", "unreachable", self.site.net6, check=False)

    def attach(self, name: str, number: int) -> None:
        """Give a device its namespace and its cable."""
        if not self.namespace_path(name).exists():
            self._attach(name, number)
        if IPV6.exists():
            address = f"{self.site.address6(number)}/64"
            run("ip", "-n", self.namespace(name), "addr", "replace", address, "dev", "eth0", "nodad")

    def _attach(self, name: str, number: int) -> None:
        site, namespace = self.site, self.namespace(name)
        run("ip", "netns", "add", namespace)
        card = ["name", "eth0", "address", site.mac(number), "netns", namespace]
        run("ip", "link", "add", self.cable(number), "type", "veth", "peer", *card)
        run("ip", "link", "set", self.cable(number), "master", site.bridge, "up")
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        run("ip", "-n", namespace, "addr", "add", f"{site.address(number)}/24", "dev", "eth0")
        run("ip", "-n", namespace, "link", "set", "eth0", "up")
        run("ip", "-n", namespace, "route", "add", "default", "via", site.gateway)

    def detach(self, name: str, number: int) -> None:
        if Path(f"/sys/class/net/{self.cable(number)}").exists():
            run("ip", "link", "del", self.cable(number))
        if self.namespace_path(name).exists():
            run("ip", "netns", "del", self.namespace(name))

    def plug(self, number: int, connected: bool) -> None:
        run("ip", "link", "set", self.cable(number), "up" if connected else "down")

    def is_plugged(self, number: int) -> bool:
        try:
            return bool(int(Path(f"/sys/class/net/{self.cable(number)}/flags").read_text(), 16) & 1)
        except OSError:
            return False

    def cable(self, number: int) -> str:
        return f"{self.site.bridge}v{number}"

    def namespace(self, name: str) -> str:
        return f"{self.site.bridge}-{name}"

    def namespace_path(self, name: str) -> Path:
        return Path("/run/netns") / self.namespace(name)

    def registries(self) -> Registries:
        return Registries.load(self.registries_path)

    def _refuse_a_network_in_use(self) -> None:
        for link in json.loads(run("ip", "-j", "-4", "addr", "show").stdout):
            for address in link.get("addr_info", []):
                if address["local"].startswith(f"{self.site.net}."):
                    raise LabError(
                        f"The network {self.site.net}.0/24 is in use on {link['ifname']} ({address['local']}). "
                        "Choose another one: export FORGELAB_LAB_NET=10.79.0"
                    )

    def _add_bridge(self) -> None:
        bridge, table = self.site.bridge, self.site.routing_table
        run("ip", "route", "replace", "unreachable", f"{self.site.net}.0/24", "metric", "4000000")
        # Without an address of its own a bridge takes that of a port, another one when devices come or go, and what
        # others send to it is lost until they have found out.
        run("ip", "link", "add", bridge, "address", self.site.mac(1), "type", "bridge", "forward_delay", "0")
        run("ip", "addr", "add", f"{self.site.gateway}/24", "dev", bridge)
        # Devices need a default route (Ansible's default_ipv4 reads it); what they send beyond the bridge is answered
        # 'unreachable' at once, which takes forwarding on this one interface.
        run("ip", "route", "replace", "unreachable", "default", "table", table)
        run("ip", "rule", "del", "priority", RULE_PRIORITY, "iif", bridge, "lookup", table, check=False)
        run("ip", "rule", "add", "priority", RULE_PRIORITY, "iif", bridge, "lookup", table)
        Path(f"/proc/sys/net/ipv4/conf/{bridge}/forwarding").write_text("1")
        run("ip", "link", "set", bridge, "up")

    def _add_ipv6(self) -> None:
        """Also on a bridge that an earlier version made without."""
        bridge, table, settings = self.site.bridge, self.site.routing_table, IPV6 / self.site.bridge
        gateway = self.site.address6(1)
        if not IPV6.exists() or gateway in run("ip", "-6", "addr", "show", "dev", bridge).stdout:
            return
        (settings / "disable_ipv6").write_text("0")
        (settings / "accept_ra").write_text("0")  # who is on the bridge announces no way out
        run("ip", "-6", "route", "replace", "unreachable", self.site.net6, "metric", "4000000")
        run("ip", "-6", "route", "replace", "unreachable", "default", "table", table)
        run("ip", "-6", "rule", "del", "priority", RULE_PRIORITY, "iif", bridge, "lookup", table, check=False)
        run("ip", "-6", "rule", "add", "priority", RULE_PRIORITY, "iif", bridge, "lookup", table)
        run("ip", "addr", "replace", f"{gateway}/64", "dev", bridge, "nodad")

    def _start_proxy(self) -> None:
        log = self.site.dir / "proxy.log"
        read_registries().save(self.registries_path)
        arguments: list[str | Path] = [
            self.site.gateway,
            str(PROXY_PORT),
            self.registries_path,
            self.site.dir / "cache",
        ]
        start_daemon([sys.executable, "-m", "forgelab.lab.proxy", *arguments], log=log, pidfile=self.proxy)
        if not wait_until(lambda: listens(self.site.gateway, PROXY_PORT) or self.proxy.pid() is None, 15):
            raise LabError(f"The package proxy does not answer on {self.site.gateway}:{PROXY_PORT}; see {log}.")
        if self.proxy.pid() is None:
            raise LabError(f"The package proxy ended at once:\n{last_lines(log)}")


def listens(address: str, port: int, banner: bytes = b"") -> bool:
    """Whether something accepts connections there, and greets with `banner`."""
    try:
        with socket.create_connection((address, port), timeout=0.5) as connection:
            return not banner or connection.recv(64).startswith(banner)
    except OSError:
        return False


def available_cpus() -> list[int]:
    """The CPUs this machine lets us use, in order."""
    return sorted(os.sched_getaffinity(0))
