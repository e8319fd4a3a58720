"""What makes one device itself: the files written on its fresh disk before it boots for the first time."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from .images import NO_EXPIRY, USER
from .processes import run
from .registries import Registries
from .site import Site

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Where npm looks depends on who packaged it: Debian, the vendor's package, or a hand-made installation.
NPM_FILES = ("etc/npmrc", "usr/etc/npmrc", "usr/local/etc/npmrc")
HOST_KEY_TYPES = ("ed25519", "ecdsa")


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


def write_disk(disk: Path, image: Path, files: dict[str, File], comment: str) -> None:
    """Write the files and fresh SSH host keys on a device's empty disk layer, folders as the image has them."""
    disk.chmod(0o755)
    for name, file in files.items():
        _make_parents(disk, image, Path(name).parent)
        target = disk / name
        target.write_text(file.text)
        target.chmod(file.mode)
        owner = (disk / name).parent.stat()
        os.chown(target, owner.st_uid, owner.st_gid)
    _make_parents(disk, image, Path("etc/ssh"))
    for kind in HOST_KEY_TYPES:
        key = disk / f"etc/ssh/ssh_host_{kind}_key"
        run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", key)


def _make_parents(disk: Path, image: Path, folder: Path) -> None:
    """A folder in the upper layer hides the attributes of the one below it, so it must repeat them."""
    for path in [*reversed(folder.parents), folder]:
        if path == Path() or (disk / path).exists():
            continue
        (disk / path).mkdir()
        model = image / path if (image / path).exists() else (disk / path).parent
        attributes = model.stat()
        (disk / path).chmod(0o700 if path.name == ".ssh" else attributes.st_mode & 0o7777)
        os.chown(disk / path, attributes.st_uid, attributes.st_gid)


def host_keys(disk: Path, address: str) -> list[str]:
    """The device's public host keys as known_hosts lines."""
    keys = (disk / f"etc/ssh/ssh_host_{kind}_key.pub" for kind in HOST_KEY_TYPES)
    return [f"{address} {' '.join(key.read_text().split()[:2])}" for key in keys]
