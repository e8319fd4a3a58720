"""Two Cache Servers, one with Redis and one with Memcached, which let each other in and nobody else."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from forgelab.lab import LabDevice
from tests.support.stack import Stack

pytestmark = pytest.mark.lab
Join = Callable[..., tuple[LabDevice, str]]
REDIS = {
    "redis_maxmemory_mb": 128, "redis_maxmemory_policy": "volatile-ttl", "redis_persistence": "both",
    "redis_save": "900 1 60 1000",
}  # fmt: skip
MEMCACHED = {
    "cache_engine": "memcached", "memcached_memory_mb": 96, "memcached_max_item_mb": 4,
    "memcached_max_connections": 500, "memcached_threads": 3,
}  # fmt: skip


@dataclass
class Cache:
    device: LabDevice
    device_id: str
    name: str
    config: dict[str, Any]
    run: dict[str, Any]

    def password(self, stack: Stack) -> str:
        servers = stack.api.get("infrastructure/servers").raise_for_status().json()
        servers = servers["results"] if isinstance(servers, dict) else servers
        server = next(server for server in servers if server["name"] == self.name)
        told = stack.api.get(f"infrastructure/servers/{server['id']}/credentials").raise_for_status().json()
        blocks = told.get("credentials", told) if isinstance(told, dict) else told
        return next(field["value"] for block in blocks for field in block["fields"] if field["label"] == "Password")


@pytest.fixture(
    scope="module",
    params=[("bookworm", "trixie"), pytest.param(("trixie", "bookworm"), marks=pytest.mark.matrix)],
    ids=" and ".join,
)
def caches(stack: Stack, join: Join, request: pytest.FixtureRequest) -> Iterator[tuple[Cache, Cache]]:
    """Made at the same time; Redis lets the other in as a server, Memcached the other's address as a network."""
    images = dict(zip(("redis", "memcached"), request.param, strict=True))
    names = {engine: f"e2e-{engine}-{image}" for engine, image in images.items()}
    devices = {engine: join(names[engine], image=image, memory="1G") for engine, image in images.items()}
    configs = {
        "memcached": {**MEMCACHED, "allowed_networks": [f"{devices['redis'][0].address}/32"]},
        "redis": {**REDIS, "allowed_servers": [names["memcached"]]},
    }
    runs = {
        engine: stack.provision(names[engine], devices[engine][1], config, "cache-server")
        for engine, config in configs.items()
    }
    made = {
        engine: Cache(*devices[engine], names[engine], configs[engine], stack.wait_for_end(run))
        for engine, run in runs.items()
    }
    yield made["redis"], made["memcached"]
    for device, _ in devices.values():
        device.remove()


def test_both_are_provisioned(caches: tuple[Cache, Cache]) -> None:
    assert [(cache.run["status"], cache.run["status_detail"]) for cache in caches] == [("succeeded", "")] * 2


def test_they_listen_on_their_port_alone(caches: tuple[Cache, Cache]) -> None:
    for cache, unit, port in zip(caches, ("redis-server", "memcached"), ("6379", "11211"), strict=True):
        assert cache.device.exec(["systemctl", "is-active", unit, "ufw"]).stdout.split() == ["active", "active"]
        lines = cache.device.exec(["ss", "-Hltun"]).stdout.splitlines()
        addresses = {line.split()[4] for line in lines}
        outside = {address for address in addresses if not address.startswith(("127.", "[::1]"))}
        assert {address.rsplit(":", 1)[1] for address in outside} == {"22", port}


def test_redis_reports_the_values_that_were_chosen(stack: Stack, caches: tuple[Cache, Cache]) -> None:
    redis = caches[0]
    login = ["env", f"REDISCLI_AUTH={redis.password(stack)}", "redis-cli", "--json", "CONFIG", "GET"]
    names = ("maxmemory", "maxmemory-policy", "save", "appendonly", "protected-mode", "bind")
    found = json.loads(redis.device.exec([*login, *names]).stdout)
    assert found == {
        "maxmemory": str(128 << 20),
        "maxmemory-policy": "volatile-ttl",
        "save": "900 1 60 1000",
        "appendonly": "yes",
        "protected-mode": "yes",
        "bind": "* -::*",
    }


# A whole login and one word stored and read, in each language; run on the device that is to connect.
CLIENT = r"""
import json, socket, struct, sys
engine, host, password = sys.argv[1:]

def redis(link):
    link.sendall(b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\nSET word told\r\nGET word\r\n" % (len(password), password.encode()))
    return [answer() for _ in range(3)]

def answer():
    line = stream.readline().decode().strip()
    return stream.readline().decode().strip() if line.startswith("$") else line

def ask(code, key=b"", value=b"", extra=b""):
    length = len(key) + len(value) + len(extra)
    link.sendall(struct.pack("!BBHBBHIIQ", 128, code, len(key), len(extra), 0, 0, length, 0, 0) + extra + key + value)
    answers = {}
    while True:
        head = struct.unpack("!BBHBBHIIQ", stream.read(24))
        body = stream.read(head[6])
        if code != 16 or head[5] or not head[2]: return head[5], body, answers
        answers[body[:head[2]].decode()] = body[head[2]:].decode()

link = socket.create_connection((host, 6379 if engine == "redis" else 11211), 5)
stream = link.makefile("rb")
if engine == "redis":
    print(json.dumps(redis(link)))
elif ask(33, b"PLAIN", b"\0laravel\0" + password.encode())[0]:
    print(json.dumps("refused"))
else:
    stored = ask(1, b"word", b"told", struct.pack("!II", 0, 0))[0]
    print(json.dumps([stored, ask(0, b"word")[1][4:].decode(), ask(16, b"settings")[2]]))
"""


def connect(device: LabDevice, engine: str, to: LabDevice, password: str) -> Any:
    return json.loads(device.exec(["python3", "-c", CLIENT, engine, to.address, password]).stdout)


def test_the_server_that_is_named_uses_redis_with_the_password(stack: Stack, caches: tuple[Cache, Cache]) -> None:
    redis, other = caches
    assert connect(other.device, "redis", redis.device, redis.password(stack)) == ["+OK", "+OK", "told"]
    refused = connect(other.device, "redis", redis.device, "not-the-password")
    assert [answer.split()[0] for answer in refused] == ["-WRONGPASS", "-NOAUTH", "-NOAUTH"]


def test_the_network_that_is_named_uses_memcached_with_the_password(stack: Stack, caches: tuple[Cache, Cache]) -> None:
    other, memcached = caches
    stored, word, settings = connect(other.device, "memcached", memcached.device, memcached.password(stack))
    assert (stored, word) == (0, "told")
    wanted = {
        "maxbytes": str(96 << 20), "item_size_max": str(4 << 20), "maxconns": "500", "num_threads": "3",
        "udpport": "0", "auth_enabled_sasl": "yes",
    }  # fmt: skip
    assert {name: settings[name] for name in wanted} == wanted
    assert connect(other.device, "memcached", memcached.device, "not-the-password") == "refused"


def test_nobody_else_gets_through(caches: tuple[Cache, Cache]) -> None:
    with socket.socket() as to_redis, socket.socket() as to_memcached:
        for link, cache, port in zip((to_redis, to_memcached), caches, (6379, 11211), strict=True):
            link.setblocking(False)
            link.connect_ex((cache.device.address, port))
        # Neither a connection nor a refusal: the firewall says nothing.
        assert select.select([], [to_redis, to_memcached], [], 3)[1] == []


def test_provisioning_them_again_changes_nothing(stack: Stack, caches: tuple[Cache, Cache]) -> None:
    runs = [stack.provision(cache.name, cache.device_id, cache.config, "cache-server") for cache in caches]
    for run in [stack.wait_for_end(run) for run in runs]:
        assert run["status"] == "succeeded", run["status_detail"]
        assert sum(run["outcome"]["recap"]["changed"].values()) == 0


def test_without_anybody_named_they_answer_their_own_device_alone(stack: Stack, caches: tuple[Cache, Cache]) -> None:
    redis = caches[0]
    run = stack.wait_for_end(
        stack.provision(redis.name, redis.device_id, {**redis.config, "allowed_servers": []}, "cache-server")
    )
    assert run["status"] == "succeeded", run["status_detail"]
    lines = redis.device.exec(["ss", "-Hltn"]).stdout.splitlines()
    assert {line.split()[3] for line in lines if ":6379" in line} == {"127.0.0.1:6379", "[::1]:6379"}
    assert "6379" not in redis.device.exec(["ufw", "status"]).stdout


@pytest.mark.matrix
def test_what_redis_holds_survives_a_change_of_persistence(stack: Stack, caches: tuple[Cache, Cache]) -> None:
    redis = caches[0]
    login = ["env", f"REDISCLI_AUTH={redis.password(stack)}", "redis-cli"]
    for persistence in ("rdb", "aof", "rdb", "both"):
        assert redis.device.exec([*login, "SET", f"before-{persistence}", "1"]).stdout.strip() == "OK"
        config = {**redis.config, "redis_persistence": persistence}
        if persistence == "aof":
            del config["redis_save"]
        run = stack.wait_for_end(stack.provision(redis.name, redis.device_id, config, "cache-server"))
        assert run["status"] == "succeeded", run["status_detail"]
        journal = redis.device.exec([*login, "--raw", "CONFIG", "GET", "appendonly"]).stdout.split()[1]
        assert journal == ("no" if persistence == "rdb" else "yes")
        assert f"before-{persistence}" in redis.device.exec([*login, "--raw", "KEYS", "before-*"]).stdout.split()
    assert len(redis.device.exec([*login, "--raw", "KEYS", "before-*"]).stdout.split()) == 3
