"""The logins of role connection_check as Python, and servers on loopback to log in to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tests.roles.helpers import load_plugin


@pytest.fixture(scope="module")
def utils(_collection: None) -> ModuleType:
    return load_plugin("module_utils.logins")


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[bytes], bytes]], int]]:
    """A server on loopback that answers whatever it reads; gives its port."""
    sockets = []

    def start(answer: Callable[[bytes], bytes]) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)

        def work() -> None:
            while True:
                try:
                    link, _ = listening.accept()
                except OSError:
                    return
                with link:
                    while data := link.recv(4000):
                        link.sendall(answer(data))

        threading.Thread(target=work, daemon=True).start()
        return listening.getsockname()[1]

    yield start
    for each in sockets:
        each.close()
