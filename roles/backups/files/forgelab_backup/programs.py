# Managed by ForgeLab: changes made here are lost.
"""Running programs: no shell, no password in an argument, and every failure reported."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from .problems import Problem

CHUNK = 1 << 20
KEPT = ("PATH", "TZ", "FORGELAB_RUN")  # the last is the mark by which ForgeLab ends what a cancelled run left
Argv = Sequence[str]


def environment() -> dict[str, str]:
    """A small one: a PGHOST or MYSQL_HOST of somebody's login must not lead to another server."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return (
        {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        | kept
        | {"LC_ALL": "C.UTF-8"}
    )


def run(argv: Argv, text: str = "", stdin: IO[bytes] | None = None) -> str:
    """Run a program with `text` (or a file) as its input and return its output. Raises Problem."""
    given = {"stdin": stdin} if stdin else {"input": text.encode()}
    try:
        done = subprocess.run(argv, capture_output=True, check=False, env=environment(), cwd="/", **given)
    except OSError as error:
        raise Problem(f"{argv[0]} cannot be run: {error.strerror}.") from None
    if done.returncode:
        raise Problem(_failure(argv, done.returncode, done.stderr))
    return done.stdout.decode(errors="replace")


def stream(*commands: Argv, stdin: IO[bytes] | None = None) -> Iterator[bytes]:
    """The output of a pipe of programs in pieces. Raises Problem when one fails; ends them when it is closed."""
    with contextlib.ExitStack() as stack:
        errors = [stack.enter_context(tempfile.TemporaryFile()) for _ in commands]
        started: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, started)
        source: IO[bytes] | int = stdin or subprocess.DEVNULL
        for argv, error in zip(commands, errors, strict=True):
            process = _start(argv, source, error)
            if started and started[-1].stdout:
                started[-1].stdout.close()  # so that it is told when its reader ends
            started.append(process)
            source = process.stdout or subprocess.DEVNULL
        output = started[-1].stdout
        while output and (piece := output.read(CHUNK)):
            yield piece
        for argv, process, error in zip(commands, started, errors, strict=True):
            if process.wait():
                error.seek(0)
                raise Problem(_failure(argv, process.returncode, error.read()))


def drain(*commands: Argv, stdin: IO[bytes] | None = None) -> None:
    """Run a pipe of programs whose output does not matter. Raises Problem."""
    for _ in stream(*commands, stdin=stdin):
        pass


def compressed(text: str, argv: Argv) -> bytes:
    """A text through a program that compresses. Raises Problem."""
    with tempfile.TemporaryFile() as handle:
        handle.write(text.encode())
        handle.seek(0)
        return b"".join(stream(argv, stdin=handle))


def save(path: Path, *commands: Argv) -> None:
    """The output of programs, one after the other, as a file for root only, synced. Raises Problem."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        for argv in commands:
            for piece in stream(argv):
                handle.write(piece)
        handle.flush()
        os.fsync(handle.fileno())


def found(*names: str) -> str:
    """The first of these programs that is installed, by its path; empty when none is."""
    path = environment()["PATH"]
    return next((found for name in names if (found := shutil.which(name, path=path))), "")


def _start(argv: Argv, source: IO[bytes] | int, error: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(argv, stdin=source, stdout=subprocess.PIPE, stderr=error, env=environment(), cwd="/")
    except OSError as failed:
        raise Problem(f"{argv[0]} cannot be run: {failed.strerror}.") from None


def _end(started: list[subprocess.Popen[bytes]]) -> None:
    for process in started:
        if process.stdout:
            process.stdout.close()
        if process.poll() is None:
            process.kill()
        process.wait()


def _failure(argv: Argv, status: int, error: bytes) -> str:
    # `setpriv --reuid=postgres ... -- /usr/lib/.../pg_dump`: the program is what comes after the dashes.
    program = argv[argv.index("--") + 1] if argv[0] == "setpriv" else argv[0]
    name = os.path.basename(program)  # noqa: PTH119 - a word, not a file
    if -status in (9, 15):
        return f"{name} was ended by signal {-status}."
    tail = "\n".join(error.decode(errors="replace").strip().splitlines()[-5:])
    return f"{name} failed (status {status}): {tail or 'it said nothing'}"
