"""What makes one device itself: the files written on its fresh disk before it boots for the first time."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from .images import NO_EXPIRY, USER
from .layers import Layers
from .processes import run
from .registries import Registries
from .site import Site

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Where npm looks depends on who packaged it: Debian, the vendor's package, or a hand-made installation.
NPM_FILES = ("etc/npmrc", "usr/etc/npmrc", "usr/local/etc/npmrc")
HOST_KEY_TYPES = ("ed25519", "ecdsa")
# What systemd makes again where it is missing (systemd-random-seed.service(8), systemd-creds(1)).
OF_ONE_MACHINE = ("var/lib/systemd/random-seed", "var/lib/systemd/credential.secret")
LEASES = ("var/lib/dhcp", "var/lib/dhcpcd", "var/lib/NetworkManager", "var/lib/systemd/network")


@dataclass(frozen=True)
class File:
    text: str
    mode: int = 0o644


def guest_files(name: str, address: str, site: Site, registries: Registries, public_key: str) -> dict[str, File]:
    """Path below the disk's root -> file. The proxy stands in apt's, pip's and npm's own settings rather than in
    `http_proxy`, so that it holds without a login shell and under sudo, and other programs still reach the bridge."""
    npm = File(npmrc(site, registries))
    return {
        "etc/apt/apt.conf.d/90forgelab-lab": File(apt_conf(site)),
        "etc/environment": File(f"NODE_EXTRA_CA_CERTS={CA_BUNDLE}\n"),
        "etc/hostname": File(f"{name}\n"),
        "etc/hosts": File(f"127.0.0.1 localhost\n{address} {name}.lab.test {name}\n{site.gateway} lab-gateway\n"),
        "etc/machine-id": File(f"{secrets.token_hex(16)}\n", 0o444),
        "etc/pip.conf": File(pip_conf(site, registries)),
        "etc/resolv.conf": File("# The lab has no name server: names are in /etc/hosts.\n"),
        "root/.ssh/authorized_keys": File(public_key, 0o600),
        f"home/{USER}/.ssh/authorized_keys": File(public_key, 0o600),
        **dict.fromkeys(NPM_FILES, npm),
    }


def apt_conf(site: Site) -> str:
    return (
        f'Acquire::http::Proxy "{site.proxy_url}";\n'
        f'Acquire::http::Proxy::{site.gateway} "DIRECT";\n'
        f"{NO_EXPIRY}\n"
        'Acquire::Languages "none";\n'
        'Acquire::Retries "3";\n'
    )


def pip_conf(site: Site, registries: Registries) -> str:
    lines = ["[global]", f"proxy = {site.proxy_url}", f"cert = {CA_BUNDLE}", "disable-pip-version-check = true"]
    if registries.pip_index:
        lines.append(f"index-url = {registries.pip_index}")
    if registries.pip_extra:
        lines.append("extra-index-url = " + "\n    ".join(registries.pip_extra))
    return "\n".join(lines) + "\n"


def npmrc(site: Site, registries: Registries) -> str:
    registry = f"registry={registries.npm}\n" if registries.npm else ""
    return (
        f"{registry}proxy={site.proxy_url}\nhttps-proxy={site.proxy_url}\ncafile={CA_BUNDLE}\n"
        f"noproxy=localhost,127.0.0.1,{site.gateway}\nfund=false\naudit=false\nupdate-notifier=false\n"
    )


def write_disk(disk: Layers, files: dict[str, File], comment: str) -> None:
    """Write the files and new SSH host keys on a device's empty disk, folders as the image has them."""
    disk.folders[0].chmod(0o755)
    for name, file in files.items():
        disk.write(name, file.text, file.mode)
    make_host_keys(disk, comment)


def write_identity(disk: Layers, name: str, address: str, was: tuple[str, str], public_key: str) -> None:
    """Make another machine of what is a copy of a device: the one whose name and address `was`.

    Settings, users and data stay; also who may log in, to which the lab's own key is added if it is not there.
    """
    disk.folders[0].chmod(0o755)
    disk.write("etc/hostname", f"{name}\n")
    disk.write("etc/machine-id", f"{secrets.token_hex(16)}\n", 0o444)
    disk.write("etc/hosts", renamed(disk.read("etc/hosts"), dict(zip(was, (name, address), strict=True))))
    for home in ("root", f"home/{USER}"):
        path = f"{home}/.ssh/authorized_keys"
        if public_key not in disk.read(path):
            disk.write(path, disk.read(path) + public_key, 0o600)
    own = disk.find("var/lib/dbus/machine-id")
    left = [] if own is None or own.is_symlink() else ["var/lib/dbus/machine-id"]
    for path in [
        *left,
        *filter(disk.find, OF_ONE_MACHINE),
        *(lease for folder in LEASES for lease in disk.list(folder)),
    ]:
        disk.hide(path)
    make_host_keys(disk, f"root@{name}")


def renamed(hosts: str, names: dict[str, str]) -> str:
    """/etc/hosts with other names and addresses; `shop` is not found in `shop-db`, nor 10.78.0.1 in 10.78.0.12."""
    found = "|".join(map(re.escape, names))
    return re.sub(rf"(?<![\w.-])(?:{found})(?![\w-]|\.\d)", lambda match: names[match[0]], hosts)


def make_host_keys(disk: Layers, comment: str) -> None:
    """New ones in place of those that are there, of whatever kind."""
    for path in disk.list("etc/ssh"):
        if path.startswith("etc/ssh/ssh_host_"):
            disk.hide(path)
    disk.make_folder(Path("etc/ssh"))
    for kind in HOST_KEY_TYPES:
        key = disk.folders[0] / f"etc/ssh/ssh_host_{kind}_key"
        for file in (key, key.with_suffix(".pub")):
            file.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", key)


def host_keys(disk: Layers, address: str) -> list[str]:
    """The device's public host keys as known_hosts lines."""
    keys = (disk.read(f"etc/ssh/ssh_host_{kind}_key.pub") for kind in HOST_KEY_TYPES)
    return [f"{address} {' '.join(key.split()[:2])}" for key in keys]
