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
    php = plugin("php/filter_plugins/php.py")
    assert php.php_packages(["dom", "xml", "pdo_mysql", "pcntl"], "8.3") == ["php8.3-xml", "php8.3-mysql", "php8.3-cli"]


def test_it_refuses_an_extension_that_is_no_name(plugin: Callable[..., Any]) -> None:
    php = plugin("php/filter_plugins/php.py")
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
    ("template", "variable", "value"),
    [
        ("php.ini.tmpl", "php_memory_limit", "256M\nauto_prepend_file = /tmp/x"),
        ("php.ini.tmpl", "php_memory_limit", "{{ 7*7 }}"),
        ("php.ini.tmpl", "php_timezone", 'UTC"\nx=y'),
        ("php.ini.tmpl", "php_timezone", "Zürich"),
        ("php.ini.tmpl", "php_post_max_size", "1 M"),
        ("php-cli.ini.j2", "php_timezone", "UTC;x"),
        ("pool.conf.j2", "php_user", "root\nlisten = /x"),
        ("pool.conf.j2", "php_user", "{{ 7*7 }}"),
    ],
)
def test_it_refuses_values_that_would_be_settings(
    render: Callable[..., str], template: str, variable: str, value: str
) -> None:
    with pytest.raises(AnsibleError, match=variable):
        render("php", template, **{variable: value})
