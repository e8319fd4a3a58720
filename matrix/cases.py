"""The matrix as data: each case is one server on a device of its own.

What a case leaves out is the recipe's default. Versions are those that the device's distribution carries; that others
come from a vendor's repository is proved elsewhere (tests of the roles, with a repository of their own). MySQL, which
Debian 12 and 13 lack, is Debian unstable's, from a repository of the tests' own. That build does not fit Debian 12.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forgelab.recipes.roles.spec import Roles, load_roles
from tests.support.unstable import VERSION

TRIXIE = "trixie"
THE_LAB = "the network of the lab's devices"  # as a config value: its address becomes known with the lab
ROLES = load_roles(Path(__file__).parents[1] / "roles")


def releases(roles: Roles) -> dict[str, str]:
    """The releases that the lab can bring up and the roles support, with their titles."""
    debian = roles.distributions["debian"]
    return {name: f"{debian.title} {number}" for name, number in debian.releases.items()}


def carried(roles: Roles, release: str) -> dict[str, str]:
    """The version of each component that a release carries."""
    found = {name: spec.versions.carried().get(release) for name, spec in roles.specs.items()}
    return {name: version for name, version in found.items() if version}


RELEASES = releases(ROLES)
CARRIED = {release: carried(ROLES, release) for release in RELEASES}

MYSQL = {"database_engine": "mysql", "mysql_version": VERSION}


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


def _versions(image: str, component: str) -> dict[str, str]:
    """The option that chooses what the release carries of a component; without that, the recipe's default holds."""
    found = CARRIED[image].get(component)
    return {f"{component}_version": found} if found else {}


def _id(kind: str, image: str, name: str) -> str:
    return f"{kind}-{RELEASES[image][-2:]}-{name}"


def app(name: str, image: str, about: str, **config: Any) -> Case:
    versions = _versions(image, "php")
    if config.get("database_engine", "postgresql") == "postgresql":
        versions |= _versions(image, "postgresql")
    return Case(_id("app", image, name), "laravel-app-server", image, versions | config, about)


def _app_servers(image: str) -> list[Case]:
    mariadb = {"database_engine": "mariadb", **_versions(image, "mariadb")}
    nothing = {
        f"include_{part}": False
        for part in ("redis", "supervisor", "scheduler", "composer", "nodejs", "firewall", "backups")
    }  # fmt: skip
    return [
        app("postgresql", image, "everything, with PostgreSQL"),
        app("mariadb", image, "MariaDB, no Redis", **mariadb, include_redis=False),
        app("bare", image, "Nginx, PHP and PostgreSQL only, no firewall", **nothing),
        app(
            "node", image, "Node.js of the distribution, no Composer, no Supervisor, larger limits",
            **_versions(image, "nodejs"), include_composer=False, include_supervisor=False,
            upload_max_mb=200, php_memory_limit="512M", php_pm_max_children=12, domain="shop.example",
        ),
        app(
            "queue", image, "Node.js 22, eight workers, Redis with its own memory and policy",
            nodejs_version="22", supervisor_workers=8, redis_maxmemory_mb=64, redis_maxmemory_policy="noeviction",
        ),
        *([app("mysql", image, "MySQL, no Node.js", **MYSQL, include_nodejs=False)] if image == TRIXIE else []),
    ]  # fmt: skip


def _web_servers(image: str) -> list[Case]:
    def web(name: str, about: str, **config: Any) -> Case:
        versions = _versions(image, "php")
        return Case(_id("web", image, name), "laravel-web-server", image, versions | config, about, "1G")

    return [
        web("default", "Nginx, PHP, Composer, Node.js"),
        web(
            "redis", "Redis too, no Composer, no Node.js, processes on demand",
            include_redis=True, include_composer=False, include_nodejs=False, php_pm="ondemand",
            php_timezone="Europe/Berlin",
        ),
        web("bare", "Nginx and PHP only", include_composer=False, include_nodejs=False, include_firewall=False),
    ]  # fmt: skip


def _cache_servers(image: str) -> list[Case]:
    def cache(name: str, about: str, **config: Any) -> Case:
        return Case(_id("cache", image, name), "cache-server", image, config, about, "1G")

    redis, memcached = {"cache_engine": "redis"}, {"cache_engine": "memcached"}
    return [
        cache("redis", "Redis for this device only, snapshots", **redis),
        cache(
            "redis-remote", "Redis for a network, every write kept, own memory and policy", **redis,
            allowed_networks=THE_LAB, redis_persistence="aof", redis_maxmemory_mb=200,
            redis_maxmemory_policy="volatile-lru",
        ),
        cache("redis-volatile", "Redis that keeps nothing", **redis, redis_persistence="none"),
        cache(
            "memcached", "Memcached for a network", **memcached,
            allowed_networks=THE_LAB, memcached_memory_mb=128, memcached_max_connections=200, memcached_threads=2,
        ),
    ]  # fmt: skip


def _database_servers(image: str) -> list[Case]:
    postgresql = {"database_engine": "postgresql", **_versions(image, "postgresql")}
    mariadb = {"database_engine": "mariadb", **_versions(image, "mariadb")}
    names = {"database_name": "shop", "database_user": "shop_user"}
    primary = ("database-server", {**postgresql, **names, "standby_networks": THE_LAB, "include_backups": False})

    def database(name: str, about: str, config: Mapping[str, Any], **beside: tuple[str, Mapping[str, Any]]) -> Case:
        return Case(_id("database", image, name), "database-server", image, config, about, "2G", beside)

    remote = {"allowed_networks": THE_LAB, "max_connections": 80, "memory_share": 50}
    return [
        database("postgresql", "PostgreSQL for this device only, backups", postgresql),
        database("postgresql-remote", "PostgreSQL for a network, its own tuning, no backups", {
            **postgresql, **remote, "include_backups": False,
        }),
        database("standby", "PostgreSQL that follows another's", {**postgresql, **names}, replicate_from=primary),
        database("mariadb", "MariaDB for a network, backups", {**mariadb, **remote}),
        *([
            database("mysql", "MySQL for this device only, backups", MYSQL),
            database("mysql-remote", "MySQL for a network, its own tuning", {**MYSQL, **remote}),
        ] if image == TRIXIE else []),
    ]  # fmt: skip


def _worker_servers(image: str) -> list[Case]:
    postgresql = {"database_engine": "postgresql", **_versions(image, "postgresql")}
    mariadb = {"database_engine": "mariadb", **_versions(image, "mariadb")}
    redis, memcached = ({"cache_engine": engine, "allowed_networks": THE_LAB} for engine in ("redis", "memcached"))

    def worker(name: str, about: str, beside: Mapping[str, tuple[str, Mapping[str, Any]]], **config: Any) -> Case:
        versions = _versions(image, "php")
        return Case(_id("worker", image, name), "laravel-worker-server", image, versions | config, about, "1G", beside)

    def database(engine: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
        return "database-server", {**engine, "allowed_networks": THE_LAB}

    return [
        worker(
            "workers", "queue workers on PostgreSQL and Redis of other servers",
            {"database_server": database(postgresql), "cache_server": ("cache-server", redis)},
            supervisor_workers=3, queues="high,default",
        ),
        worker(
            "horizon", "Horizon and the scheduler, on MariaDB and Memcached of other servers",
            {"database_server": database(mariadb), "cache_server": ("cache-server", memcached)},
            supervisor_horizon=True, include_scheduler=True, include_composer=False,
        ),
        *([worker(
            "mysql", "queue workers on MySQL and Redis of other servers",
            {"database_server": database(MYSQL), "cache_server": ("cache-server", redis)},
            include_composer=False,
        )] if image == TRIXIE else []),
    ]  # fmt: skip


MAKERS = (_app_servers, _web_servers, _database_servers, _worker_servers, _cache_servers)


def made() -> list[Case]:
    """All cases, for what RELEASES and CARRIED say."""
    return [case for make in MAKERS for image in RELEASES for case in make(image)]


CASES = made()
BY_ID = {case.id: case for case in CASES}


def chosen() -> list[Case]:
    """The cases named in FORGELAB_MATRIX, or all."""
    return [BY_ID[name] for name in os.environ.get("FORGELAB_MATRIX", "").split()] or CASES


def wants_mysql(case: Case) -> bool:
    """Whether the case needs MySQL, for its own server or for one beside it."""
    return "mysql" in [config.get("database_engine") for config in (case.config, *(c for _, c in case.beside.values()))]
