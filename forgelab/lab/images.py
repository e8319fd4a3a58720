"""Debian images: one folder per suite, below the disk of every device made from it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from .errors import LabError
from .processes import last_lines, locked, run
from .registries import debian_archives, sources_for

SUITES = ("bookworm", "trixie", "forky")
USER = "homelab"
# A mirror that lags, or a snapshot, is as good for a lab as the newest archive; signatures are still checked.
NO_EXPIRY = 'Acquire::Check-Valid-Until "false";'
CERTIFICATES = Path("/usr/local/share/ca-certificates")
PACKAGES = (
    "apt-utils", "ca-certificates", "cron", "curl", "dbus", "gnupg", "iproute2", "iputils-ping", "kmod",
    "libnss-systemd", "libpam-systemd", "netbase", "nftables", "openssh-server", "procps", "python3", "python3-apt",
    "sudo", "systemd", "systemd-sysv",
)  # fmt: skip
# Timers and services that make no sense in a device without hardware, and would run at a moment nobody chose.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "console-getty.service", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "systemd-timesyncd.service",
)  # fmt: skip
FILES = {
    "etc/dpkg/dpkg.cfg.d/forgelab-lab": "force-unsafe-io\n",
    "etc/machine-id": "",
    f"etc/sudoers.d/{USER}": f"{USER} ALL=(ALL) NOPASSWD: ALL\n",
    "etc/systemd/journald.conf.d/forgelab-lab.conf": "[Journal]\nSystemMaxUse=32M\nRuntimeMaxUse=16M\n",
}


class Images:
    """The images in one folder; several labs may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, suite: str) -> Path:
        """Where a suite's image lies; another recipe or another set of certificates makes another folder."""
        recipe = repr((PACKAGES, MASKED, FILES)).encode() + b"".join(c.read_bytes() for c in certificates())
        return self.folder / f"{check_suite(suite)}-{hashlib.sha256(recipe).hexdigest()[:8]}"

    def build(self, suite: str, report: Callable[[str], None]) -> Path:
        """The suite's image, made now if it is not there; raises LabError with mmdebstrap's last words if it fails."""
        image = self.path(suite)
        if image.is_dir():
            return image
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self.folder / f".{suite}.lock"):
            if image.is_dir():
                return image
            report(f"Building the {suite} image: half a minute to a minute, once.")
            for rest in self.folder.glob(f".{suite}-*"):
                shutil.rmtree(rest)
            unfinished = self.folder / f".{image.name}"
            try:
                self._bootstrap(suite, unfinished)
                prepare(unfinished)
                unfinished.rename(image)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        return image

    def built(self) -> list[str]:
        """Suites whose image is there."""
        return [suite for suite in SUITES if self.path(suite).is_dir()]

    def remove_all(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _bootstrap(self, suite: str, target: Path) -> None:
        sources = self.folder / f"{suite}.sources"
        sources.write_text(sources_for(debian_archives(), suite))
        log = self.folder / f"{suite}.log"
        # In a mount namespace of its own nothing stays mounted below the folder, however this ends.
        argv = ["unshare", "--mount", "--propagation", "private", "mmdebstrap", "--variant=minbase", "--mode=root"]
        argv += [f"--aptopt={NO_EXPIRY}", f"--include={','.join(PACKAGES)}", suite, str(target), str(sources)]
        with log.open("wb") as output:
            code = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
        if code:
            raise LabError(f"The {suite} image could not be built; the last lines of {log} say:\n{last_lines(log)}")


def check_suite(suite: str) -> str:
    if suite not in SUITES:
        raise LabError(f"image: {suite!r} is not one of {', '.join(SUITES)}.")
    return suite


def certificates() -> list[Path]:
    """The certificate authorities this machine trusts beyond Debian's: its registries may need them."""
    return sorted(CERTIFICATES.glob("*.crt"))


def prepare(root: Path) -> None:
    """Turn a bootstrapped tree into what all devices share: no identity, quiet timers, a sudo user."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / f"etc/sudoers.d/{USER}").chmod(0o440)
    for certificate in certificates():
        shutil.copy(certificate, root / str(CERTIFICATES).lstrip("/"))
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for unit in MASKED:
        (root / "etc/systemd/system" / unit).unlink(missing_ok=True)
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    run("chroot", root, "update-ca-certificates")
    run("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", "--password", "*", USER)
