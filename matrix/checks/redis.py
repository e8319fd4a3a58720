from __future__ import annotations

from matrix.checks.postgresql import remote_access
from matrix.machine import ANYWHERE, LOCAL, Listener, Machine

MB = 1024 * 1024


def check(machine: Machine) -> set[Listener]:
    if "Cache Credentials" in machine.credentials:
        return _client(machine)
    machine.assert_service("redis-server.service")
    password = machine.credentials["Redis Credentials"]["Password"]
    assert "NOAUTH" in machine.run("redis-cli", "ping", ok=(0, 1))

    def setting(name: str) -> str:
        shown = machine.run("redis-cli", "--no-auth-warning", "-a", password, "CONFIG", "GET", name)
        return shown.partition("\n")[2].strip()

    config = machine.config
    limit, wanted = int(setting("maxmemory")) // MB, int(config["redis_maxmemory_mb"])
    assert limit == wanted if wanted else 32 <= limit <= machine.memory_mb
    assert setting("maxmemory-policy") == config["redis_maxmemory_policy"]
    persistence = config.get("redis_persistence", "rdb")
    assert (setting("appendonly") == "yes") is (persistence in ("aof", "both"))
    assert bool(setting("save")) is (persistence in ("rdb", "both"))
    return {Listener("tcp", 6379, ANYWHERE if remote_access(machine) else LOCAL, "redis-server")}


def _client(machine: Machine) -> set[Listener]:
    """A worker talks to another server's Redis and must have none of its own."""
    assert not machine.installed("redis-server")
    fields = machine.credentials["Cache Credentials"]
    if fields["Engine"] == "redis":
        said = machine.run("redis-cli", "--no-auth-warning", "-h", fields["Host"], "-a", fields["Password"], "ping")
        assert said.strip() == "PONG"
    return set()
