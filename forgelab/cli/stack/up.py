"""`forgelab up`: web, workers, beat and collector in one go."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Sequence
from functools import partial

from forgelab.cli.stack import address, kernel, output, parts
from forgelab.cli.stack.manager import ProcessManager
from forgelab.cli.stack.prepare import prepare
from forgelab.cli.stack.state import Stack, State, data_dir
from forgelab.lib import processes

START_TIMEOUT = 60  # seconds


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="forgelab up",
        description="Start ForgeLab: the web pages and API, the workers, and the clock. Ctrl-C stops everything.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets the network in (default: %(default)s)"
    )
    parser.add_argument("--port", type=_port, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument("--no-open", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--detach", action="store_true", help="leave it running in the background; stop it with: forgelab down"
    )
    return parser.parse_args(argv)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f'"{text}" is not a port: use a number from 1 to 65535')
    return int(text)


def main(argv: Sequence[str]) -> int:
    chosen = arguments(argv)
    os.umask(0o077)
    stack = Stack(data_dir())
    if not stack.acquire():
        return _already_running(stack, address.url(chosen.host, chosen.port))
    try:
        listener = address.listen(chosen.host, chosen.port)
    except address.AddressTaken as error:
        print(f"forgelab: {error}", file=sys.stderr)
        return 1
    if hosts := address.allowed_hosts(chosen.host):
        os.environ["FORGELAB_ALLOWED_HOSTS"] = ",".join(
            filter(None, [os.environ.get("FORGELAB_ALLOWED_HOSTS"), *hosts])
        )
    url = address.url(chosen.host, chosen.port)
    os.environ["FORGELAB_LISTENING"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forgelab.settings")
    if not (_loads() and prepare()):
        return 1
    may_open = (
        not chosen.no_open
        and sys.stdout.isatty()
        and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    )
    if chosen.detach:
        return _detached(stack, listener, url, may_open)
    print(f"ForgeLab is starting at {url} (Ctrl-C stops it)", flush=True)
    if may_open:
        webbrowser.open(url)
    _supervise(stack, listener, url, output.to_terminal())
    print("ForgeLab is stopped.")
    return 0


def _loads() -> bool:
    from django.core.exceptions import ImproperlyConfigured

    try:
        parts.load()
    except ImproperlyConfigured as error:
        print(f"forgelab: {error}", file=sys.stderr)
        return False
    return True


def _already_running(stack: Stack, wanted: str) -> int:
    state = stack.read()
    if state is None:
        print("ForgeLab is just being started or stopped by another command. See: forgelab status")
        return 1
    print(f"ForgeLab is already running at {state.url} (process {state.pid}). Stop it with: forgelab down")
    return 0 if state.url == wanted else 1


def _supervise(stack: Stack, listener: socket.socket, url: str, show: output.Show) -> None:
    pid = os.getpid()
    started = processes.start_time(pid) or ""
    since = time.time()

    def in_child(name: str) -> None:
        stack.let_go()
        if name != "web":
            listener.close()

    def changed(children: dict[str, int]) -> None:
        stack.write(State(pid, started, url, since, children))

    kernel.set_name("forgelab")
    lives: dict[str, Callable[[], object]] = {
        "web": partial(parts.web, listener), "runs": parts.runs, "tasks": parts.tasks,
        "watch": parts.watch,
    }  # fmt: skip
    try:
        ProcessManager(lives, show, changed, in_child).run()
    finally:
        stack.forget()


def _detached(stack: Stack, listener: socket.socket, url: str, may_open: bool) -> int:
    pid = os.fork()
    if pid == 0:
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        for target in (0, 1, 2):
            os.dup2(nothing, target)
        try:
            _supervise(stack, listener, url, output.to_file(stack.log_file))
        finally:
            os._exit(0)
    listener.close()
    stack.let_go()
    if not _answers(url, pid):
        print(
            f"forgelab: it did not start within {START_TIMEOUT} seconds; its messages are in {stack.log_file}",
            file=sys.stderr,
        )
        return 1
    print(f"ForgeLab is running at {url} (messages in {stack.log_file}). Stop it with: forgelab down")
    if may_open:
        webbrowser.open(url)
    return 0


def _answers(url: str, pid: int) -> bool:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and os.waitpid(pid, os.WNOHANG)[0] == 0:
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(url, timeout=START_TIMEOUT).close()  # noqa: S310 - our own URL
            except urllib.error.HTTPError:
                return True  # any answer shows that the pages are served
            return True
        time.sleep(0.2)
    return False
