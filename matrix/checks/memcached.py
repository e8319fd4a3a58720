from __future__ import annotations

import re

from matrix.checks.postgresql import remote_access
from matrix.machine import ANYWHERE, LOCAL, Listener, Machine

# Memcached with SASL speaks the binary protocol only: log in, then ask for its settings (the command stat).
ASK = r"""
import socket, struct, sys
user, password = sys.argv[1:3]
s = socket.create_connection(("127.0.0.1", 11211), 10)
def send(op, key=b"", value=b""):
    s.sendall(struct.pack("!BBHBBHIIQ", 0x80, op, len(key), 0, 0, 0, len(key) + len(value), 0, 0) + key + value)
def read(n):
    data = b""
    while len(data) < n:
        data += s.recv(n - len(data))
    return data
def answer():
    _, _, keys, _, _, status, size, _, _ = struct.unpack("!BBHBBHIIQ", read(24))
    body = read(size)
    return status, body[:keys].decode(), body[keys:].decode()
send(0x21, b"PLAIN", b"\0" + user.encode() + b"\0" + password.encode())
status = answer()[0]
print("login", status)
if not status:
    send(0x10, b"settings")
    while True:
        status, name, value = answer()
        if not name: break
        print(name, value)
"""


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("memcached.service")
    fields = machine.credentials["Memcached Credentials"]
    said = machine.run("python3", "-c", ASK, fields["User"], fields["Password"])
    values = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    assert values["login"] == "0"
    assert "login 32" in machine.run("python3", "-c", ASK, fields["User"], "wrong")
    config = machine.config
    limit = int(values["maxbytes"]) // 1024 // 1024
    wanted = int(config["memcached_memory_mb"])
    assert limit == wanted if wanted else 32 <= limit <= machine.memory_mb
    assert int(values["maxconns"]) == config["memcached_max_connections"]
    assert int(values["num_threads"]) == config["memcached_threads"]
    assert int(values["item_size_max"]) == config["memcached_max_item_mb"] * 1024 * 1024
    assert values["udpport"] == "0"
    assert re.search(r"^memcache\s", machine.run("ps", "-o", "user=", "-C", "memcached"))
    return {Listener("tcp", 11211, ANYWHERE if remote_access(machine) else LOCAL, "memcached")}
