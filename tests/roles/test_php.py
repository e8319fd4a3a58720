from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleError


def test_the_twelve_extensions_become_packages_of_the_version(evaluate: Callable[..., Any]) -> None:
    names = ["cli", "mbstring", "xml", "pgsql", "mysql", "redis", "curl", "zip", "gd", "intl", "bcmath", "fpm"]
    assert evaluate("php", "php_packages", php_version="8.2") == [f"php8.2-{name}" for name in names] + ["logrotate"]


def test_a_worker_has_no_fpm(evaluate: Callable[..., Any]) -> None:
    assert "php8.4-fpm" not in evaluate("php", "php_packages", php_version="8.4", php_fpm=False)
    assert evaluate("php", "php_services", php_version="8.4", php_fpm=False) == []


def test_extensions_inside_other_packages_are_found(plugin: Callable[..., Any]) -> None:
    php = plugin("filter.php_packages")
    assert php.php_packages(["dom", "xml", "pdo_mysql", "pcntl"], "8.3") == ["php8.3-xml", "php8.3-mysql", "php8.3-cli"]


def test_it_refuses_an_extension_that_is_no_name(plugin: Callable[..., Any]) -> None:
    php = plugin("filter.php_packages")
    for value in ("gd; rm", "{{ 7*7 }}", "ümlaut", ""):
        with pytest.raises(AnsibleError, match="php_extensions"):
            php.php_packages([value], "8.2")


@pytest.mark.parametrize(
    ("release", "version"), [("bookworm", "8.2"), ("trixie", "8.4"), ("jammy", "8.1"), ("x", "8.3")]
)
def test_the_version_is_the_distributions_own(evaluate: Callable[..., Any], release: str, version: str) -> None:
    assert evaluate("php", "php_version", ansible_facts={"distribution_release": release}) == version


def test_the_version_is_known_without_facts_when_it_is_given(evaluate: Callable[..., Any]) -> None:
    assert evaluate("php", "php_socket", php_version="8.3", ansible_facts={}) == "/run/php/php8.3-fpm.sock"


def test_a_request_may_be_larger_than_an_upload(evaluate: Callable[..., Any]) -> None:
    assert evaluate("php", "php_post_max_size", php_upload_max_filesize="1G") == "1032M"


def test_the_settings_are_those_asked_for(render: Callable[..., str]) -> None:
    ini = render("php", "php.ini.tmpl", php_memory_limit="512M", php_timezone="Europe/Berlin").splitlines()
    assert ini[0].startswith("; Managed by ForgeLab")
    for line in (
        "memory_limit = 512M",
        "upload_max_filesize = 64M",
        "post_max_size = 72M",
        "date.timezone = Europe/Berlin",
        "opcache.memory_consumption = 128",
        "opcache.max_accelerated_files = 20000",
        "opcache.validate_timestamps = 1",
    ):
        assert line in ini, line


def test_the_pool_is_the_specifications(render: Callable[..., str]) -> None:
    pool = render("php", "pool.conf.j2", php_version="8.2").splitlines()
    for line in (
        "[www]",
        "user = www-data",
        "listen = /run/php/php8.2-fpm.sock",
        "pm = dynamic",
        "pm.max_children = 20",
        "pm.start_servers = 5",
        "pm.min_spare_servers = 2",
        "pm.max_spare_servers = 10",
    ):
        assert line in pool, line


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("php_memory_limit", "256M\nauto_prepend_file = /tmp/x"),
        ("php_memory_limit", "{{ 7*7 }}"),
        ("php_timezone", 'UTC"\nx=y'),
        ("php_timezone", "Zürich"),
        ("php_post_max_size", "1 M"),
        ("php_timezone", "UTC;x"),
        ("php_user", "root\nlisten = /x"),
        ("php_user", "{{ 7*7 }}"),
    ],
)
def test_it_refuses_values_that_would_be_settings(
    refusals: Callable[..., list[str]], variable: str, value: str
) -> None:
    assert [sentence.split(":")[0] for sentence in refusals("php", **{variable: value})] == [variable]


def test_php_without_a_memory_limit_is_allowed(refusals: Callable[..., list[str]]) -> None:
    assert refusals("php", php_memory_limit="-1", php_post_max_size="64M") == []


def test_more_versions_get_the_same_packages_services_and_files(evaluate: Callable[..., Any]) -> None:
    chosen = {"php_version": "8.4", "php_extra_versions": ["8.2"], "php_extensions": ["cli", "gd"]}
    assert evaluate("php", "php_packages", **chosen) == [
        "php8.4-cli", "php8.4-gd", "php8.4-fpm", "php8.2-cli", "php8.2-gd", "php8.2-fpm", "logrotate",
    ]  # fmt: skip
    assert evaluate("php", "php_services", **chosen) == ["php8.4-fpm.service", "php8.2-fpm.service"]


@pytest.mark.parametrize("given", [["8.2", "8.3"], ["8.2, 8.3"], "8.2,8.3", ["8.2", "8.4", " 8.3", ""]])
def test_versions_may_come_as_a_list_or_with_commas(evaluate: Callable[..., Any], given: object) -> None:
    assert evaluate("php", "php_versions", php_version="8.4", php_extra_versions=given) == ["8.4", "8.2", "8.3"]


def test_every_version_has_its_own_files_and_the_same_settings(plugin: Callable[..., Any]) -> None:
    files = plugin("filter.php_files").php_files(["8.4", "8.2"], "own.ini.j2", True)
    assert [file["dest"] for file in files if file["version"] == "8.2"] == [
        "/etc/php/8.2/cli/conf.d/99-forgelab.ini",
        "/etc/php/8.2/fpm/conf.d/99-forgelab.ini",
        "/etc/php/8.2/fpm/pool.d/zz-forgelab.conf",
        "/etc/logrotate.d/forgelab-php8-2",
    ]
    assert [file["src"] for file in files if "/fpm/conf.d" in file["dest"]] == ["own.ini.j2"] * 2


def test_a_worker_gets_no_file_of_fpm(plugin: Callable[..., Any]) -> None:
    files = plugin("filter.php_files").php_files(["8.4"], "php.ini.tmpl", False)
    assert [file["dest"] for file in files] == ["/etc/php/8.4/cli/conf.d/99-forgelab.ini"]


@pytest.mark.parametrize("value", ["8.2; rm", "{{ 7*7 }}", "8", "latest"])
def test_it_refuses_versions_that_are_none(refusals: Callable[..., list[str]], value: str) -> None:
    found = refusals("php", php_version="8.4", php_extra_versions=[value])
    assert [sentence.split(":")[0] for sentence in found] == ["php_extra_versions"]


@pytest.mark.parametrize("value", ["UTC\nx=y", "Zürich", "{{ 7*7 }}", "a' b", ""])
def test_it_refuses_time_zones_before_the_device_is_asked(refusals: Callable[..., list[str]], value: str) -> None:
    found = refusals("php", php_version="8.4", php_timezone=value)
    assert [sentence.split(":")[0] for sentence in found] == ["php_timezone"]


def test_the_defaults_are_fine(refusals: Callable[..., list[str]]) -> None:
    assert refusals("php", php_version="8.4", php_timezone="America/Argentina/Buenos_Aires") == []


ALTERNATIVE, POOL = "/etc/alternatives/php", "/etc/php/{}/fpm/pool.d/zz-forgelab.conf"


@pytest.mark.parametrize(
    ("found", "fpm", "unwanted", "needed"),
    [
        ({ALTERNATIVE: "/usr/bin/php8.4", POOL.format("8.4"): ""}, True, [], False),
        ({ALTERNATIVE: "/usr/bin/php8.2", POOL.format("8.4"): ""}, True, [], True),
        ({ALTERNATIVE: "/usr/bin/php8.4", POOL.format("8.2"): "", POOL.format("8.4"): ""}, True, ["8.2"], True),
        ({ALTERNATIVE: "/usr/bin/php8.4", POOL.format("8.4"): ""}, False, ["8.4"], True),
        ({}, True, [], True),
    ],
)
def test_what_an_earlier_run_left_is_seen(
    evaluate: Callable[..., Any], found: dict[str, str], fpm: bool, unwanted: list[str], needed: bool
) -> None:
    state = {"php_version": "8.4", "php_fpm": fpm, "php_configured": {"found": found}}
    assert evaluate("php", "php_unwanted_fpm", **state) == unwanted
    assert evaluate("php", "php_switch_needed", **state) is needed


def test_packages_are_removed_only_when_asked_for(evaluate: Callable[..., Any]) -> None:
    cli = "/etc/php/*/cli/conf.d/99-forgelab.ini"
    assert cli not in evaluate("php", "php_look_for", php_version="8.4")
    assert cli in evaluate("php", "php_look_for", php_version="8.4", php_purge=True)
    found = {cli.replace("*", "8.2"): "", cli.replace("*", "8.4"): ""}
    assert evaluate("php", "php_unwanted", php_version="8.4", php_configured={"found": found}) == ["8.2"]


@pytest.fixture
def fpm(plugin: Callable[..., Any]) -> Any:
    return plugin("module_utils.fpm")


DUMP = """\
# configuration file /etc/nginx/nginx.conf:
# fastcgi_pass unix:/run/php/php8.1-fpm.sock;
# configuration file /etc/nginx/sites-enabled/shop.conf:
    fastcgi_pass unix:/run/php/php8.2-fpm.sock;
# configuration file /etc/nginx/conf.d/mine.conf:
    fastcgi_pass unix:/run/php/php8.20-fpm.sock;
"""


@pytest.mark.parametrize(
    ("version", "where"), [("8.1", ""), ("8.2", "/etc/nginx/sites-enabled/shop.conf"), ("8.4", ""), ("8x2", "")]
)
def test_a_socket_that_a_site_names_is_found(fpm: Any, version: str, where: str) -> None:
    assert fpm.where_named(DUMP, version) == where


def test_open_and_waiting_connections_are_counted_and_the_listening_socket_is_not(fpm: Any) -> None:
    table = """\
Num       RefCount Protocol Flags    Type St Inode Path
00000000: 00000002 00000000 00010000 0001 01 23501 /run/php/php8.2-fpm.sock
00000000: 00000003 00000000 00000000 0001 03 23502 /run/php/php8.2-fpm.sock
00000000: 00000003 00000000 00000000 0001 03 23503 /run/php/php8.4-fpm.sock
00000000: 00000003 00000000 00000000 0001 03 23504
00000000: 00000003 00000000 00000000 0001 02 23505 /run/php/php8.2-fpm.sock
"""
    assert fpm.connections(table, "/run/php/php8.2-fpm.sock") == 2


def test_a_process_that_began_before_the_configuration_is_recognised_by_its_ticks(fpm: Any) -> None:
    stat = "77 (nginx) S " + " ".join(["0"] * 18) + " 5000 0 0"
    assert fpm.started_at(stat, uptime=60.0, now=1000.0) == 990.0


def test_only_packages_that_nothing_else_needs_are_removed(fpm: Any) -> None:
    simulation = "Remv php8.2-fpm [8.2.36]\nRemv left-over [1]\nPurg php8.2-gd [8.2.36]\n"
    assert fpm.removable(simulation, ["php8.2-fpm", "php8.2-cli", "php8.2-gd"]) == ["php8.2-fpm", "php8.2-gd"]
