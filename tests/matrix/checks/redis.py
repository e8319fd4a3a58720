from __future__ import annotations

from tests.matrix.checks.postgresql import remote_access
from tests.matrix.machine import ANYWHERE, LOCAL, Listener, Machine

MB = 1024 * 1024


def check(machine: Machine) -> set[Listener]:
    machine.assert_service("redis-server.service")
    fields = next(block for title, block in machine.credentials.items() if "Redis" in title)
    assert "NOAUTH" in machine.run("redis-cli", "ping", ok=(0, 1))

    def setting(name: str) -> str:
        shown = machine.run("redis-cli", "--no-auth-warning", "-a", fields["Password"], "CONFIG", "GET", name)
        return shown.partition("\n")[2].strip()

    config = machine.config
    limit = int(setting("maxmemory")) // MB
    wanted = int(config.get("redis_maxmemory_mb") or 0)
    assert limit == wanted if wanted else 32 <= limit <= machine.memory_mb
    assert setting("maxmemory-policy") == config.get("redis_maxmemory_policy", "volatile-lru")
    persistence = config.get("redis_persistence", "rdb")
    assert (setting("appendonly") == "yes") is (persistence in ("aof", "both"))
    assert bool(setting("save")) is (persistence in ("rdb", "both"))
    return {Listener("tcp", 6379, ANYWHERE if remote_access(machine) else LOCAL, "redis-server")}
