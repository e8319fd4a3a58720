"""The guests' only way out: a forward proxy to the registries this machine itself uses, and to nothing else.

Plain HTTP downloads that never change (.deb files and apt's by-hash indices) are kept on disk. CONNECT (pip, npm)
is tunnelled: what passes there is encrypted and cannot be kept.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, urlsplit

from .registries import Registries, endpoint

CHUNK = 256 * 1024
HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
}  # fmt: skip


class Resolver:
    """Looks a host up once in five minutes: under many parallel look-ups resolvers lose some, at 5 s each."""

    def __init__(self, ttl: float = 300) -> None:
        self.ttl = ttl
        self.known: dict[str, tuple[float, str]] = {}
        self.lock = threading.Lock()

    def address(self, host: str) -> str:
        with self.lock:
            expires, address = self.known.get(host, (0.0, ""))
            if expires < time.monotonic():
                address = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
                self.known[host] = (time.monotonic() + self.ttl, address)
            return address


class Proxy(ThreadingHTTPServer):
    """Serves `clients` (an address prefix such as `10.78.0.`), and reaches only `allowed` (`host:port`)."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], allowed: Collection[str], cache: Path, clients: str) -> None:
        self.allowed = frozenset(allowed)
        self.cache = cache
        self.clients = clients
        self.resolver = Resolver()
        self.downloads: dict[str, threading.Lock] = {}
        cache.mkdir(parents=True, exist_ok=True)
        super().__init__(address, Handler)

    def verify_request(self, request: object, client_ip: object) -> bool:
        return isinstance(client_ip, tuple) and str(client_ip[0]).startswith(self.clients)


class Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 300

    def log_message(self, format: str, *args: object) -> None:
        """Only failures are worth a line, and `refuse` writes those."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.scheme != "http" or not self.permitted(endpoint(self.path)):
            return self.refuse(403, f"{endpoint(self.path)} is not a registry this machine is set up for")
        try:
            if self.command == "GET" and unchanging(url.path):
                self.cached(url)
            else:
                self.relay(url)
        except (OSError, http.client.HTTPException) as error:
            self.close_connection = True
            print(f"{self.path}: {error}", flush=True)

    do_HEAD = do_GET

    def permitted(self, target: str) -> bool:
        return target in self.server.allowed

    def refuse(self, status: int, why: str) -> None:
        print(f"{self.command} {self.path}: {why}", flush=True)
        body = f"{why}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def ask(self, url: SplitResult) -> http.client.HTTPResponse | None:
        """The registry's answer; None after the client got an error."""
        headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP_BY_HOP}
        if unchanging(url.path):
            headers = {key: value for key, value in headers.items() if key.lower() not in ("range", "if-range")}
        try:
            connection = http.client.HTTPConnection(
                self.server.resolver.address(url.hostname or ""), url.port or 80, timeout=120
            )
            target = url._replace(scheme="", netloc="").geturl() or "/"
            connection.request(self.command, target, headers={**headers, "Host": url.netloc, "Connection": "close"})
            return connection.getresponse()
        except OSError as error:
            self.refuse(504, f"the registry does not answer: {error}")
            return None

    def relay(self, url: SplitResult) -> None:
        answer = self.ask(url)
        if answer:
            with answer:
                self.pass_on(answer)

    def cached(self, url: SplitResult) -> None:
        key = hashlib.sha256(url.geturl().encode()).hexdigest()
        kept = self.server.cache / key
        with self.server.downloads.setdefault(key, threading.Lock()):
            if not kept.exists():
                return self.download(url, kept)
        with kept.open("rb") as file:
            self.send_response(200)
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.send_header("Content-Type", "application/octet-stream")
            self.end_headers()
            self.connection.sendfile(file)

    def download(self, url: SplitResult, kept: Path) -> None:
        """Pass the answer on while writing it to disk; keep the file only when it is whole."""
        answer = self.ask(url)
        if not answer:
            return
        if answer.status != 200:
            with answer:
                self.pass_on(answer)
            return
        partial = kept.with_suffix(f".{threading.get_ident()}")
        try:
            with answer, partial.open("wb") as copy:
                whole = self.pass_on(answer, copy)
            if whole:
                partial.rename(kept)
        finally:
            partial.unlink(missing_ok=True)

    def pass_on(self, answer: http.client.HTTPResponse, copy: IO[bytes] | None = None) -> bool:
        """Stream an answer to the client; True when it arrived whole from the registry."""
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in HOP_BY_HOP | {"date", "server"}:
                self.send_header(key, value)
        empty = self.command == "HEAD" or answer.status in (204, 304)
        if not empty and answer.getheader("Content-Length") is None:
            # Without a length the end of the body is the end of the connection.
            self.send_header("Connection", "close")
        self.end_headers()
        while not empty and (block := answer.read1(CHUNK)):
            self.wfile.write(block)
            if copy:
                copy.write(block)
        whole = empty or answer.length in (0, None)
        self.close_connection = self.close_connection or not whole
        return whole

    def do_CONNECT(self) -> None:
        if not self.permitted(self.path):
            return self.refuse(403, f"{self.path} is not a registry this machine is set up for")
        host, _, port = self.path.rpartition(":")
        try:
            registry = socket.create_connection((self.server.resolver.address(host), int(port)), timeout=60)
        except OSError as error:
            return self.refuse(504, f"the registry does not answer: {error}")
        self.send_response(200, "Connection established")
        self.end_headers()
        self.close_connection = True
        with registry:
            tunnel(self.connection, registry)


def unchanging(path: str) -> bool:
    """Whether what lies at this path of an apt archive never changes."""
    return path.endswith((".deb", ".udeb")) or "/by-hash/" in path


def tunnel(client: socket.socket, registry: socket.socket, idle: float = 300) -> None:
    """Carry bytes both ways until either side ends or nothing moves for `idle` seconds."""
    other = {client: registry, registry: client}
    try:
        while ready := select.select([client, registry], [], [], idle)[0]:
            for side in ready:
                block = side.recv(CHUNK)
                if not block:
                    return
                other[side].sendall(block)
    except OSError:
        return


def main(argv: list[str]) -> None:
    """`proxy GATEWAY PORT REGISTRIES CACHE`: serve the gateway's /24 until ended."""
    gateway, port, registries, cache = argv
    allowed = Registries.load(Path(registries)).endpoints()
    print(f"proxy on {gateway}:{port} for {len(allowed)} registries", flush=True)
    Proxy((gateway, int(port)), allowed, Path(cache), gateway.removesuffix("1")).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
