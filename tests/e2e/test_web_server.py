"""A Web Server from nothing, by its recipe alone: PHP over HTTP, no database, and a second time without a change."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from forgelab.lab import LabDevice
from tests.support.stack import Stack

TYPE = "laravel-web-server"
OPTIONS = {
    "upload_max_mb": 100,
    "php_memory_limit": "192M",
    "php_max_execution_time": 45,
    "php_timezone": "Europe/Berlin",
    "php_pm": "ondemand",
    "php_pm_max_children": 12,
    "php_opcache_memory_mb": 96,
    "domain": "shop.homelab.local",
}
IN_FORCE = {
    "memory_limit": "192M",
    "upload_max_filesize": "100M",
    "post_max_size": "108M",
    "max_execution_time": "45",
    "date.timezone": "Europe/Berlin",
    "opcache.enable": "1",
    "opcache.memory_consumption": "96",
}
PAGE = """<?php
$names = json_decode(file_get_contents('php://input'));
echo json_encode(['php' => PHP_VERSION, 'sapi' => PHP_SAPI, 'values' => array_map('ini_get', $names)]);
"""


@dataclass
class WebServer:
    """A provisioned server, its device and what it was asked for."""

    name: str
    device: LabDevice
    device_id: str
    config: dict[str, object]


def provision(stack: Stack, server: WebServer) -> dict:
    body = {"server_type": TYPE, "name": server.name, "device_id": server.device_id, "config": server.config}
    answer = stack.api.post("infrastructure/provision", json=body)
    assert answer.status_code == 202, answer.text
    run = stack.wait_for_end(answer.json()["run"]["id"])
    assert run["status"] == "succeeded", run["status_detail"]
    return run


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("bookworm", "8.2"), marks=pytest.mark.lab, id="debian-12"),
        pytest.param(("trixie", "8.4"), marks=pytest.mark.matrix, id="debian-13"),
    ],
)
def web(request: pytest.FixtureRequest, stack: Stack, join: Callable[..., tuple[LabDevice, str]]) -> WebServer:
    image, php = request.param
    device, device_id = join(f"web-{image}", image=image, memory="2G")
    server = WebServer(f"web-{image}", device, device_id, {**OPTIONS, "php_version": php})
    provision(stack, server)
    request.addfinalizer(device.remove)
    return server


def test_a_page_is_served_by_the_chosen_php_with_the_chosen_settings(web: WebServer) -> None:
    path = f"/var/www/{web.name}/current/public/settings.php"
    web.device.exec(["tee", path], input=PAGE)
    answer = httpx.post(
        f"http://{web.device.address}/settings.php",
        content=json.dumps(list(IN_FORCE)),
        headers={"Host": "shop.homelab.local"},
        trust_env=False,
    ).raise_for_status()
    seen = answer.json()
    assert seen["php"].startswith(f"{web.config['php_version']}.")
    assert seen["sapi"] == "fpm-fcgi"
    assert dict(zip(IN_FORCE, seen["values"], strict=True)) == IN_FORCE


def test_the_pool_is_as_chosen_as_fpm_itself_reports(web: WebServer) -> None:
    pool = web.device.exec([f"php-fpm{web.config['php_version']}", "-tt"]).stderr
    for setting in ("pm = ondemand", "pm.max_children = 12", "process_control_timeout = 10s"):
        assert setting in pool, setting


def test_it_listens_for_ssh_and_http_and_has_no_database(web: WebServer) -> None:
    listening = {line.split()[3] for line in web.device.exec(["ss", "-Hltn"]).stdout.splitlines()}
    assert {address.rpartition(":")[2] for address in listening} == {"22", "80"}
    packages = web.device.exec(["dpkg-query", "-W", "-f", "${Package}\\n"]).stdout.split()
    unwanted = r"(postgresql|mariadb-server|mysql-server|redis-server|supervisor|apache2|libapache2-mod-php.*)"
    assert [name for name in packages if re.fullmatch(unwanted, name)] == []


def test_what_builds_an_application_is_there(web: WebServer) -> None:
    for program in ("composer", "node", "npm", "yarn"):
        assert re.search(r"\d+\.\d+", web.device.exec(["sh", "-c", f"cd / && {program} --version 2>&1"]).stdout), (
            program
        )
    assert "Status: active" in web.device.exec(["ufw", "status"]).stdout


def test_provisioning_again_changes_nothing(stack: Stack, web: WebServer) -> None:
    run = provision(stack, web)
    events = stack.api.get(f"runs/{run['id']}/events?limit=1000").raise_for_status().json()["results"]
    assert [event["task"] for event in events if event["changed"]] == []
    assert sum(run["outcome"]["recap"]["changed"].values()) == 0
