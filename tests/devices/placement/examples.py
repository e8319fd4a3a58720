"""The specification's homelab, and whatever else hypothesis thinks of."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import strategies as st

from forgelab.devices.placement import Candidate, Needs, Tenant

GB = 1024
SUPPORTED = {"debian": "12", "raspbian": "12", "ubuntu": "22.04"}
APP = Needs(memory_mb=(2 * GB, 4 * GB), storage_mb=(20 * GB, 50 * GB), cores=(2, 4), distributions=SUPPORTED)
SERVER_02 = Candidate(
    name="homelab-server-02", reachable=True, distribution="debian", distribution_version="12",
    distribution_release="bookworm", architecture="x86_64", memory_total_mb=16 * GB, memory_available_mb=12 * GB,
    disk_total_mb=500 * GB, disk_free_mb=200 * GB, disk_kind="ssd", cores=4, load_percent=35, availability_percent=99.9,
)  # fmt: skip
SERVER_01 = dataclasses.replace(SERVER_02, name="homelab-server-01", memory_available_mb=8 * GB, load_percent=75)
PI = dataclasses.replace(
    SERVER_02, name="homelab-pi-01", memory_total_mb=4 * GB, memory_available_mb=4 * GB, disk_total_mb=32 * GB,
    disk_free_mb=32 * GB, disk_kind="sd", load_percent=20, architecture="aarch64",
)  # fmt: skip

MB, FEW_MB = st.integers(0, 96 * GB), st.integers(0, 4 * GB)


def mostly(usual: object, *others: object) -> st.SearchStrategy[object]:
    """So that most devices fit and have points to compare."""
    return st.sampled_from([usual] * 6 + list(others))


NAMES = st.sampled_from([f"server-{number}" for number in range(6)])
SOME = st.frozensets(NAMES, max_size=2)


def tenants(name: st.SearchStrategy[str] = NAMES) -> st.SearchStrategy[Tenant]:
    return st.builds(
        Tenant, name=name, server_type=st.sampled_from(["laravel-app-server", "database-server"]),
        environment=st.sampled_from(["", "production", "staging", "development"]),
        application=st.sampled_from(["", "laravel", "shop"]), uses=SOME, used_by=SOME, follows=SOME,
        components=st.frozensets(st.sampled_from(["nginx", "postgresql", "mysql", "composer"])),
    )  # fmt: skip


def candidates(**fixed: Any) -> st.SearchStrategy[Candidate]:
    fields: dict[str, Any] = {
        "name": st.text(max_size=5), "reachable": mostly(True, False), "asleep": st.booleans(),
        "distribution": mostly("debian", "ubuntu", "arch", ""),
        "distribution_version": mostly("12", "", "11", "22.04", "x"),
        "distribution_release": st.sampled_from(["", "bookworm"]),
        "architecture": mostly("x86_64", "", "armv7l"), "memory_total_mb": MB, "memory_available_mb": MB,
        "reserved_mb": FEW_MB, "pending_mb": FEW_MB, "disk_total_mb": MB, "disk_free_mb": MB,
        "reserved_disk_mb": FEW_MB,
        "pending_disk_mb": FEW_MB, "disk_kind": st.sampled_from(["nvme", "ssd", "hdd", "sd", "unknown", "tape"]),
        "cores": st.integers(0, 64), "load_percent": st.floats(0, 100) | st.floats(0, 5000),
        "availability_percent": st.none() | st.floats(0, 100), "obstacle": mostly("", "no"),
        "listening": st.dictionaries(st.sampled_from([22, 80]), mostly("nginx", "", "apache2")),
        "servers": st.lists(tenants(), max_size=3, unique_by=lambda one: one.name).map(tuple),
    }  # fmt: skip
    return st.builds(Candidate, **(fields | fixed))


NEEDS = st.builds(
    Needs,
    memory_mb=st.tuples(FEW_MB, st.integers(0, 16 * GB)),
    storage_mb=st.tuples(FEW_MB, st.integers(0, 128 * GB)),
    cores=st.tuples(st.integers(0, 4), st.integers(0, 16)),
    architectures=st.sampled_from([(), ("x86_64",)]),
    ports=st.sampled_from([{}, {80: "nginx"}]),
    distributions=st.just(SUPPORTED),
)
