"""The matrix as data: each case is one server on a device of its own.

What a case leaves out is the recipe's default. Versions are those that the device's distribution carries; that others
come from a vendor's repository is proved elsewhere (tests of the roles, with a repository of their own).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BOOKWORM, TRIXIE = "bookworm", "trixie"
RELEASES = {BOOKWORM: "Debian 12", TRIXIE: "Debian 13"}
CARRIED: dict[str, dict[str, str]] = {
    BOOKWORM: {"php": "8.2", "postgresql": "15", "mariadb": "10.11", "redis": "7", "nodejs": "18"},
    TRIXIE: {"php": "8.4", "postgresql": "17", "mariadb": "11.8", "redis": "8", "nodejs": "20"},
}


@dataclass(frozen=True)
class Case:
    """One server. `beside` names servers that it needs, by the option that takes their name: type and config."""

    id: str
    server_type: str
    image: str
    config: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""
    memory: str = "2G"
    beside: Mapping[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)


def app(name: str, image: str, about: str, **config: Any) -> Case:
    versions = {"php_version": CARRIED[image]["php"]}
    if config.get("database_engine", "postgresql") == "postgresql":
        versions["postgresql_version"] = CARRIED[image]["postgresql"]
    return Case(f"app-{RELEASES[image][-2:]}-{name}", "laravel-app-server", image, versions | config, about)


def _app_servers(image: str) -> list[Case]:
    mariadb = {"database_engine": "mariadb", "mariadb_version": CARRIED[image]["mariadb"]}
    nothing = {
        f"include_{part}": False
        for part in ("redis", "supervisor", "scheduler", "composer", "nodejs", "firewall")
    }  # fmt: skip
    return [
        app("postgresql", image, "everything, with PostgreSQL"),
        app("mariadb", image, "MariaDB, no Redis", **mariadb, include_redis=False),
        app("bare", image, "Nginx, PHP and PostgreSQL only, no firewall", **nothing),
        app(
            "node", image, "Node.js of the distribution, no Composer, no Supervisor, larger limits",
            nodejs_version=CARRIED[image]["nodejs"], include_composer=False, include_supervisor=False,
            upload_max_mb=200, php_memory_limit="512M", php_pm_max_children=12, domain="shop.example",
        ),
        app(
            "queue", image, "Node.js 22, eight workers, Redis with its own memory and policy",
            nodejs_version="22", supervisor_workers=8, redis_maxmemory_mb=64, redis_maxmemory_policy="noeviction",
        ),
    ]  # fmt: skip


CASES = [*_app_servers(BOOKWORM), *_app_servers(TRIXIE)]
BY_ID = {case.id: case for case in CASES}
