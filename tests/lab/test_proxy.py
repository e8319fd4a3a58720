from __future__ import annotations

import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from forgelab.lab.proxy import Proxy

DEB = "/debian/pool/main/n/nginx/nginx_1_amd64.deb"


class Registry(BaseHTTPRequestHandler):
    """Answers every path with a body made of it; counts what it is asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.command, self.path))
        if self.path == "/slow":
            return self.slowly()
        body = f"body of {self.path}".encode()
        self.send_response(404 if "absent" in self.path else 200)
        self.send_header("Content-Length", str(len(body) + (1000 if "cut" in self.path else 0)))
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
        self.close_connection = "cut" in self.path

    do_HEAD = do_GET

    def slowly(self):
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"first")
        assert self.server.resume.wait(10)
        self.wfile.write(b"after")

    def log_message(self, format, *args):
        pass


@pytest.fixture
def serve():
    """Run servers in threads until the test ends."""
    servers = []

    def start(server):
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def registry(serve):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    server.asked, server.resume = [], threading.Event()
    server.endpoint = f"127.0.0.1:{server.server_port}"
    return serve(server)


@pytest.fixture
def proxy(serve, registry, tmp_path):
    return serve(Proxy(("127.0.0.1", 0), {registry.endpoint, "127.0.0.1:1"}, tmp_path / "cache", "127.0.0."))


@pytest.fixture
def client(proxy):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.server_port, timeout=10)
    yield connection
    connection.close()


def fetch(client, url, method="GET"):
    client.request(method, url)
    answer = client.getresponse()
    return answer.status, answer.read()


def test_it_passes_on_what_a_registry_answers(client, registry):
    assert fetch(client, f"http://{registry.endpoint}/dists/InRelease?x=1") == (200, b"body of /dists/InRelease?x=1")
    assert fetch(client, f"http://{registry.endpoint}/absent") == (404, b"body of /absent")


def test_it_refuses_any_other_host_and_names_it(client, registry):
    status, body = fetch(client, "http://elsewhere.example/debian/x.deb")
    assert (status, body) == (403, b"elsewhere.example:80 is not a registry this machine is set up for\n")


def test_it_refuses_another_port_of_a_registry(client, registry):
    assert fetch(client, "http://127.0.0.1:22/")[0] == 403


def test_it_refuses_what_is_no_plain_web_address(client, registry):
    assert fetch(client, f"ftp://{registry.endpoint}/x")[0] == 403
    assert fetch(client, "/x")[0] == 403


def test_it_asks_for_a_package_once(client, registry):
    url = f"http://{registry.endpoint}{DEB}"
    assert fetch(client, url) == fetch(client, url) == (200, f"body of {DEB}".encode())
    assert registry.asked == [("GET", DEB)]


def test_it_asks_for_an_index_by_its_hash_once_and_for_others_every_time(client, registry):
    for path in ("/dists/by-hash/SHA256/ab", "/dists/InRelease"):
        fetch(client, f"http://{registry.endpoint}{path}")
        fetch(client, f"http://{registry.endpoint}{path}")
    assert [path for _, path in registry.asked] == ["/dists/by-hash/SHA256/ab", "/dists/InRelease", "/dists/InRelease"]


def test_it_does_not_keep_a_package_that_is_not_there(client, registry, proxy):
    assert fetch(client, f"http://{registry.endpoint}/absent.deb")[0] == 404
    assert list(proxy.cache.iterdir()) == []


def test_it_does_not_keep_half_a_package_nor_pretend_it_was_whole(client, registry, proxy):
    with pytest.raises(http.client.IncompleteRead):
        fetch(client, f"http://{registry.endpoint}/cut.deb")
    assert list(proxy.cache.iterdir()) == []


def test_two_clients_at_once_cost_one_download(registry, proxy):
    def one():
        connection = http.client.HTTPConnection("127.0.0.1", proxy.server_port, timeout=10)
        results.append(fetch(connection, f"http://{registry.endpoint}{DEB}"))
        connection.close()

    results = []
    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(200, f"body of {DEB}".encode())] * 8
    assert len(registry.asked) == 1


def test_it_hands_on_the_beginning_before_the_end_has_arrived(client, registry):
    client.request("GET", f"http://{registry.endpoint}/slow")
    answer = client.getresponse()
    assert answer.read(5) == b"first"
    registry.resume.set()
    assert answer.read() == b"after"


def test_it_answers_head_without_a_body(client, registry):
    client.request("HEAD", f"http://{registry.endpoint}{DEB}")
    answer = client.getresponse()
    assert answer.read() == b""
    assert answer.getheader("Content-Length") == str(len(f"body of {DEB}"))
    assert fetch(client, f"http://{registry.endpoint}/next")[0] == 200


def test_it_says_when_a_registry_does_not_answer(client):
    status, body = fetch(client, "http://127.0.0.1:1/x")
    assert status == 504
    assert b"the registry does not answer" in body


def test_it_tunnels_to_a_registry(client, registry):
    host, _, port = registry.endpoint.partition(":")
    client.set_tunnel(host, int(port))
    assert fetch(client, "/through") == (200, b"body of /through")


def test_it_tunnels_nowhere_else(client):
    client.set_tunnel("elsewhere.example", 443)
    with pytest.raises(OSError, match="403"):
        client.request("GET", "/")


def test_it_refuses_clients_from_outside_the_lab(serve, registry, tmp_path):
    proxy = serve(Proxy(("127.0.0.1", 0), {registry.endpoint}, tmp_path, "10.78.0."))
    with socket.create_connection(("127.0.0.1", proxy.server_port), timeout=10) as connection:
        assert connection.recv(1) == b""
    assert registry.asked == []
