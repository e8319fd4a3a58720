"""A real PostgreSQL and a real Redis for tests, made and gone again; nothing is installed.

`python -m tests.support.services -- pytest ...` runs a command with `DATABASE_URL` and `CELERY_BROKER_URL` set to them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START = 90  # seconds
UNPRIVILEGED = ("postgres", "nobody")
# A test cluster may lose everything at a power cut: nothing is forced to the disk.
POSTGRES_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


class ServiceMissing(Exception):
    """A program that a service needs is not on this machine. The message says which package has it."""


def find(program: str, package: str, *more: str) -> str:
    """The path of `program`, on PATH or in one of the folders `more` (patterns below /). Raises `ServiceMissing`."""
    newest = sorted((path for pattern in more for path in Path("/").glob(f"{pattern}/{program}")), reverse=True)
    found = str(newest[0]) if newest else shutil.which(program)
    if not found:
        raise ServiceMissing(f"{program} is missing here: install the package {package} (apt-get install {package}).")
    return found


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL cluster on a free loopback port, as long as the block lasts; its URL."""
    initdb, server = (find(name, "postgresql", "usr/lib/postgresql/*/bin") for name in ("initdb", "postgres"))
    with _folder("forgelab-pg-") as (folder, as_owner):
        data = folder / "data"
        subprocess.run(
            [*as_owner, initdb, "-D", str(data), "-U", "forgelab", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        port = free_port()
        settings = ("listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}")
        options = [word for option in (*settings, *POSTGRES_OPTIONS) for word in ("-c", option)]
        with _service([*as_owner, server, "-D", str(data), *options], port, signal.SIGINT, folder):
            yield f"postgresql://forgelab@127.0.0.1:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """A Redis on a free loopback port that keeps nothing, as long as the block lasts; its URL."""
    program = find("redis-server", "redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="forgelab-redis-") as name:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", name]
        with _service([program, *options], port, signal.SIGTERM, Path(name)):
            yield f"redis://127.0.0.1:{port}/0"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _folder(prefix: str) -> Iterator[tuple[Path, list[str]]]:
    """A private folder, and the words before a command that is to run as its owner: PostgreSQL refuses to be root."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    as_owner: list[str] = []
    try:
        if os.geteuid() == 0:
            user = _unprivileged()
            shutil.chown(folder, user)
            as_owner = [find("setpriv", "util-linux"), f"--reuid={user}", "--regid=nogroup", "--clear-groups", "--"]
        yield folder, as_owner
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


@contextmanager
def _service(command: list[str], port: int, stop: signal.Signals, folder: Path) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, start_new_session=True)
    try:
        _wait_until_it_listens(process, port, log)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[0]} did not start on port {port}:\n{log.read_text(errors='replace')[-2000:]}")


def main(arguments: list[str]) -> int:
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        print("Usage: python -m tests.support.services -- COMMAND ...", file=sys.stderr)
        return 2
    try:
        with postgres() as database, redis() as broker:
            environment = {**os.environ, "DATABASE_URL": database, "CELERY_BROKER_URL": broker}
            return subprocess.run(command, env=environment, check=False).returncode
    except ServiceMissing as missing:
        print(missing, file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
