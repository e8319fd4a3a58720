"""What the role postgresql writes into its configuration, and when the service must read it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.roles.postgresql.configuration import settings


def test_a_device_of_2_gb_shares_its_memory(render: Callable[..., str]) -> None:
    assert settings(render("postgresql", "forgelab.conf.j2")) == {
        "listen_addresses": "'localhost'",
        "password_encryption": "'scram-sha-256'",
        "max_connections": "100",
        "shared_buffers": "256MB",
        "effective_cache_size": "768MB",
        "maintenance_work_mem": "64MB",
        "work_mem": "4MB",
        "min_wal_size": "256MB",
        "max_wal_size": "1024MB",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "200",
    }


@pytest.mark.parametrize(
    ("memory", "share", "buffers", "work"),
    [(512, 50, "64MB", "4MB"), (16384, 100, "4096MB", "61MB"), (131072, 100, "8192MB", "256MB")],
)
def test_memory_has_bounds(render: Callable[..., str], memory: int, share: int, buffers: str, work: str) -> None:
    facts = {"memtotal_mb": memory}
    text = render("postgresql", "forgelab.conf.j2", ansible_facts=facts, postgresql_memory_share=share)
    assert settings(text)["shared_buffers"] == buffers
    assert settings(text)["work_mem"] == work


def test_a_turning_disk_is_reported(render: Callable[..., str]) -> None:
    found = settings(render("postgresql", "forgelab.conf.j2", postgresql_storage="hdd"))
    assert (found["random_page_cost"], found["effective_io_concurrency"]) == ("4.0", "2")


def test_it_listens_outside_only_when_somebody_may_connect(render: Callable[..., str]) -> None:
    def listens(**variables: object) -> str:
        return settings(render("postgresql", "forgelab.conf.j2", **variables))["listen_addresses"]

    assert listens() == "'localhost'"
    assert listens(postgresql_allowed_networks=["10.0.0.0/8"]) == "'*'"
    assert listens(postgresql_standby_networks=["10.0.0.5/32"]) == "'*'"
    assert listens(postgresql_allowed_networks=["10.0.0.0/8"], postgresql_listen_addresses=["::1"]) == "'::1'"


def test_allowed_networks_become_lines_of_their_own(evaluate: Callable[..., Any]) -> None:
    block = evaluate("postgresql", "postgresql_hba_block", postgresql_allowed_networks=["10.0.0.0/8", "fd00::/8"])
    assert block.splitlines() == [
        "# BEGIN managed by ForgeLab: postgresql_allowed_networks",
        'host "app" "app" 10.0.0.0/8 scram-sha-256',
        'host "app" "app" fd00::/8 scram-sha-256',
        "# END managed by ForgeLab: postgresql_allowed_networks",  # else one network less would not be noticed
    ]
    assert evaluate("postgresql", "postgresql_hba_block") == ""


@pytest.mark.parametrize(
    ("waiting", "started", "hba_changed", "restart", "reload"),
    [
        (1, False, False, True, False),
        (0, False, False, False, True),
        (0, True, False, False, False),
        (0, True, True, False, True),
    ],
)
def test_it_is_restarted_or_reloaded_or_neither(
    evaluate: Callable[..., Any], waiting: int, started: bool, hba_changed: bool, restart: bool, reload: bool
) -> None:
    told = {
        "postgresql_answers": {"query_result": [{"waiting_for_restart": waiting}]},
        "postgresql_configured": {"started_units": ["postgresql@15-main.service"] if started else []},
        "postgresql_hba": {"changed": hba_changed},
    }
    assert evaluate("postgresql", "postgresql_must_restart", **told) is restart
    assert evaluate("postgresql", "postgresql_must_reload", **told) is reload
