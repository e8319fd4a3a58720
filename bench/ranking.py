"""How long it takes to rank ten thousand devices, and to place sets: pure Python on one core, without a database."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator

from bench.homelab import Homelab
from bench.report import Table, middle
from forgelab.devices.placement import Candidate, Constraint, Needs, Tenant, Wanted, place_set, rank

GB = 1024
DEVICES, TIMES, AIM = 10_000, 15, 100
APP = Needs((2 * GB, 4 * GB), (20 * GB, 50 * GB), (2, 4), ports={80: "nginx", 5432: "postgres"})
ME = Tenant(
    "shop", "laravel-app-server", "production", "shop", uses=frozenset({"server-7"}),
    components=frozenset({"nginx", "php", "postgresql", "redis"}),
)  # fmt: skip


def ranking(_: Homelab) -> Iterator[Table]:
    figures = random.Random(1)
    devices = [_device(number, figures) for number in range(DEVICES)]
    table = Table(
        f"Milliseconds of one core to rank {DEVICES} devices with up to three servers each, and to place sets on the "
        f"first 10 and on all of them, {TIMES} times (the aim is {AIM} for the ranking). The least is what the work "
        "costs; what the others take more, the rest of the machine has taken.",
        ["What", "Least", "Middle", "Most"],
    )
    _measure(table, "rank, every reason shown for the first 20", lambda: _rank(devices))
    few, small, large = devices[:10], _set(4), _set(12)
    apart = [Constraint("apart", tuple(one.name for one in small[:2]))]
    _measure(table, "place 4 servers on 10 devices", lambda: place_set(small, few, apart))
    _measure(table, "place 12 servers on 10 devices", lambda: place_set(large, few))
    _measure(table, f"place 4 servers on {DEVICES} devices", lambda: place_set(small, devices, apart), 3)
    yield table


def _rank(devices: list[Candidate]) -> None:
    for score in rank(devices, APP, ME)[:20]:
        assert score.reasons


def _measure(table: Table, what: str, work: Callable[[], object], times: int = TIMES) -> None:
    spent = []
    for _ in range(times):
        gc.collect()
        began = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - began))
    table.add(what, *(round(value, 1) for value in (min(spent), middle(spent), max(spent))))


def _device(number: int, figures: random.Random) -> Candidate:
    total = figures.choice([4, 8, 16, 32, 64]) * GB
    servers = tuple(_server(3 * number + each, figures) for each in range(figures.randrange(4)))
    return Candidate(
        name=f"device-{number}", reachable=figures.random() > 0.03, distribution=figures.choice(["debian", "ubuntu"]),
        distribution_version=figures.choice(["12", "13", "22.04", "24.04"]), distribution_release="bookworm",
        architecture=figures.choice(["x86_64", "aarch64"]), memory_total_mb=total,
        memory_available_mb=figures.randrange(total), reserved_mb=2 * GB * len(servers), disk_total_mb=500 * GB,
        disk_free_mb=figures.randrange(500 * GB), disk_kind=figures.choice(["nvme", "ssd", "hdd", "sd", "unknown"]),
        cores=figures.choice([2, 4, 8]), load_percent=100 * figures.random(),
        availability_percent=figures.choice([None, 95.5, 99.9, 100.0]), listening={22: "sshd", 80: "nginx"},
        servers=servers,
    )  # fmt: skip


def _server(number: int, figures: random.Random) -> Tenant:
    return Tenant(
        f"server-{number}", figures.choice(["laravel-app-server", "laravel-worker-server", "cache-server"]),
        figures.choice(["production", "staging"]), f"app-{number % 50}",
        components=frozenset(figures.sample(["nginx", "php", "composer", "supervisor", "redis", "firewall"], 3)),
    )  # fmt: skip


def _set(count: int) -> list[Wanted]:
    database = Tenant("shop-db", "database-server", "production")
    workers = [
        Tenant(f"worker-{number}", "laravel-worker-server", "production", "shop", uses=frozenset({"shop-db"}))
        for number in range(count - 2)
    ]
    small = Needs((GB // 2, 2 * GB), (4 * GB, 10 * GB), (1, 2))
    return [Wanted(ME, APP), Wanted(database, small), *(Wanted(worker, small) for worker in workers)]
