"""A real sshd of the test's own, on a free loopback port. The server comes from this machine or from a lab image."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from forgelab.devices import hostkeys
from tests.support.services import ServiceMissing, free_port

CONFIG = """\
ListenAddress {listen}:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
"""


@dataclass
class Sshd:
    """Where it listens, whom it lets in, and the key that opens it. `restart` gives it a host key of another kind."""

    folder: Path
    address: str
    port: int
    user: str
    before: list[str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def private_key(self) -> str:
        return (self.folder / "id").read_text()

    @property
    def public_key(self) -> str:
        return (self.folder / "id.pub").read_text().strip()

    def host_keys(self) -> list[hostkeys.HostKey]:
        return hostkeys.parse((self.folder / "host_key.pub").read_text())

    def allow(self, *lines: str) -> None:
        (self.folder / "authorized_keys").write_text("".join(f"{line}\n" for line in lines))

    def start(self, *, fresh: bool = True) -> None:
        """Start it, with a fresh host key unless it is to be the same machine as before."""
        if fresh:
            for name in ("host_key", "host_key.pub"):
                (self.folder / name).unlink(missing_ok=True)
            _keygen(self.folder / "host_key")
        _own(self.folder, self.user)
        command = [*self.before, "-D", "-e", "-f", str(self.folder / "config")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while b"Server listening" not in (self.folder / "log").read_bytes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"sshd did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=60)
        (self.folder / "log").write_bytes(b"")

    def restart(self) -> None:
        self.stop()
        self.start()


@contextmanager
def sshd(address: str = "127.0.0.1", more: str = "") -> Iterator[Sshd]:
    """A running sshd, with `more` lines of configuration. Raises `ServiceMissing` where there is none to run."""
    program = _find()
    user = pwd.getpwuid(os.geteuid()).pw_name
    before = []
    if user == "root":
        # As root it wants a user of its own; as somebody else it lets in just that one.
        shells = [p.pw_name for p in pwd.getpwall() if p.pw_uid and p.pw_shell.endswith(("/bash", "/sh"))]
        if not shells:
            raise ServiceMissing("there is no user but root with a shell to run sshd as")
        user = "postgres" if "postgres" in shells else shells[0]
        before = ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups", "--"]
    folder = Path(tempfile.mkdtemp(prefix="forgelab-sshd-"))
    server = Sshd(folder, address, free_port(), user, [*before, *_command(program, folder)])
    try:
        _keygen(folder / "id")
        server.allow(server.public_key)
        listen = f"[{address}]" if ":" in address else address
        (folder / "config").write_text(CONFIG.format(listen=listen, port=server.port, folder=folder) + more)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _find() -> Path:
    lab = Path(os.environ.get("FORGELAB_LAB_DIR") or "/var/lib/forgelab-lab")
    own = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    found = [Path(own)] if own else sorted(lab.glob("images/bookworm-*/usr/sbin/sshd"))
    if not found:
        raise ServiceMissing("sshd is missing here: install the package openssh-server, or start the lab once.")
    return found[0]


def _command(program: Path, folder: Path) -> list[str]:
    """How to call it. That of a lab image is copied out, with the libraries that this machine lacks."""
    if program.parent.parent.parent == Path("/"):
        return [str(program)]
    shutil.copy(program, folder / "sshd")
    needed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    for library in [line.split()[0] for line in needed.splitlines() if "not found" in line]:
        shutil.copy(next(program.parents[1].glob(f"lib/*-linux-gnu/{library}")), folder / library)
    return ["env", f"LD_LIBRARY_PATH={folder}", str(folder / "sshd")]


def _keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True)


def _own(folder: Path, user: str) -> None:
    if os.geteuid() == 0:
        for path in [folder, *folder.iterdir()]:
            shutil.chown(path, user)
