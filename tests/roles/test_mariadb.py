from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .helpers import FACTS

TRICKY = "{{ 7*7 }} `;touch pwned;` $(x) \"'\\ %d %s %% #ü日本"


def settings(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_mariadb_is_tuned_to_half_of_the_memory(render: Callable[..., str]) -> None:
    assert settings(render("mariadb", "server.cnf.j2")) == [
        "[mariadbd]",
        "bind-address = 127.0.0.1",
        "max_connections = 100",
        "character-set-server = utf8mb4",
        "collation-server = utf8mb4_unicode_ci",
        "innodb_buffer_pool_size = 512M",
        "innodb_log_file_size = 128M",
    ]


def test_mysql_has_settings_of_its_own(render: Callable[..., str]) -> None:
    assert settings(render("mysql", "server.cnf.j2", mysql_memory_share=100)) == [
        "[mysqld]",
        "bind-address = 127.0.0.1",
        "mysqlx-bind-address = 127.0.0.1",
        "max_connections = 100",
        "character-set-server = utf8mb4",
        "collation-server = utf8mb4_unicode_ci",
        "innodb_buffer_pool_size = 1024M",
    ]


@pytest.mark.parametrize(
    ("release", "version", "package", "series"),
    [
        ("noble", "8.0", "mysql-server-8.0", {}),
        ("noble", "8.4", "mysql-server", {"mysql-server": "8.4"}),
        ("trixie", "9.7", "mysql-server", {"mysql-server": "9.7"}),
    ],
)
def test_where_mysqls_package_does_not_carry_the_version_the_preflight_gets_it(
    evaluate: Callable[..., Any], release: str, version: str, package: str, series: dict[str, str]
) -> None:
    given = {"ansible_facts": {**FACTS, "distribution_release": release}, "mysql_version": version}
    assert evaluate("mysql", "mysql_packages", **given) == [package, "python3-pymysql"]
    assert evaluate("mysql", "mysql_series", **given) == series


def test_the_salt_of_mysqls_password_has_its_20_characters(evaluate: Callable[..., Any]) -> None:
    assert len(evaluate("mysql", "mysql_password_salt", inventory_hostname="web1")) == 20


@pytest.mark.parametrize("role", ["mariadb", "mysql"])
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("password", ""),
        ("password", "a\nb"),
        ("user", "{{ 7*7 }}"),
        ("user", "root"),
        ("user", "x" * 33),
        ("database", "`; drop"),
        ("database", "MySQL"),
        ("bind_address", "127.0.0.1\nuser=root"),
        ("allowed_networks", ["10.0.0.5"]),
        ("allowed_networks", ["10.0.0.0/8\n"]),
        ("allowed_networks", ["fd00::/8"]),
        ("memory_share", 101),
        ("max_connections", 0),
    ],
)
def test_it_refuses_with_the_variables_name(
    refusals: Callable[..., list[str]], role: str, variable: str, value: object
) -> None:
    found = refusals(role, **{f"{role}_password": "s", f"{role}_{variable}": value})
    assert [sentence.split(":")[0] for sentence in found] == [f"{role}_{variable}"]


def test_an_older_distribution_is_refused_and_a_newer_one_is_fine(refusals: Callable[..., list[str]]) -> None:
    wanted = {"mariadb_version": "11.4", "mariadb_password": TRICKY}
    old, new = (
        {"distribution": "Debian", "distribution_release": name, "memtotal_mb": 1} for name in ("bookworm", "trixie")
    )
    assert "brings MariaDB 10.11" in refusals("mariadb", ansible_facts=old, **wanted)[0]
    assert refusals("mariadb", ansible_facts=new, **wanted) == []


@pytest.mark.parametrize("role", ["mariadb", "mysql"])
def test_it_listens_outside_only_when_somebody_may_connect(render: Callable[..., str], role: str) -> None:
    def told(**variables: object) -> list[str]:
        return settings(render(role, "server.cnf.j2", **{f"{role}_{name}": value for name, value in variables.items()}))

    assert "bind-address = 127.0.0.1" in told()
    assert not [line for line in told() if line.startswith("skip_name_resolve")]
    assert {"bind-address = *", "skip_name_resolve = ON"} <= set(told(allowed_networks=["10.0.0.0/8"]))
    assert "bind-address = 10.0.0.5" in told(allowed_networks=["10.0.0.0/8"], bind_address="10.0.0.5")


@pytest.mark.parametrize("role", ["mariadb", "mysql"])
def test_the_account_exists_for_those_who_may_connect(evaluate: Callable[..., Any], role: str) -> None:
    def hosts(*networks: str) -> list[str]:
        return evaluate(role, f"{role}_account_hosts", **{f"{role}_allowed_networks": list(networks)})

    assert hosts() == ["localhost"]
    assert hosts("10.0.0.0/20", "192.168.1.7/32", "fd00::7/128") == [
        "localhost",
        "127.0.0.1",
        "::1",
        "10.0.0.0/255.255.240.0",
        "192.168.1.7",
        "fd00::7",
    ]


@pytest.mark.parametrize(
    ("role", "packaged"), [("mysql", ["mysql.cnf", "mysqld.cnf"]), ("mariadb", ["50-server.cnf", "60-galera.cnf"])]
)
def test_its_settings_are_read_after_the_packages_own_and_before_the_users(
    evaluate: Callable[..., Any], render: Callable[..., str], role: str, packaged: list[str]
) -> None:
    own = render(role, "server.cnf.j2").partition("such as ")[2].partition(":")[0]
    ours = evaluate(role, f"{role}_configuration").rpartition("/")[2]
    assert sorted([own, ours, *packaged])[-2:] == [ours, own]
