"""A Worker Server on a device of its own, and the database and cache on others that it must be able to use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from forgelab.lab import LabDevice
from tests.support.stack import Stack

pytestmark = pytest.mark.lab
Join = Callable[..., tuple[LabDevice, str]]
DATABASE, CACHE, WORKER = "books", "fast", "shop-worker-production"
COMMAND = re.compile(r"forgelab (server provision \S+ --name [a-z0-9-]+)")


@pytest.fixture(scope="module")
def devices(join: Join) -> dict[str, tuple[LabDevice, str]]:
    """The worker's is bare; what the other two need is installed, for their types have tests of their own."""
    bases = {DATABASE: "packages", CACHE: "packages", WORKER: ""}
    return {name: join(f"e2e-link-{name[:4]}", memory="1G", base=base) for name, base in bases.items()}


def worker(stack: Stack, devices: dict[str, tuple[LabDevice, str]]) -> dict[str, Any]:
    names = {"database_server": DATABASE, "cache_server": CACHE, "include_composer": False}
    config = {"php_version": "8.2", "queues": "a,b", **names}
    return stack.wait_for_end(stack.provision(WORKER, devices[WORKER][1], config, "laravel-worker-server"))


@pytest.fixture(scope="module")
def refused(stack: Stack, devices: dict[str, tuple[LabDevice, str]]) -> dict[str, Any]:
    """The worker's run while neither database nor cache know of it."""
    slim = {"include_backups": False, "memory_share": 50}
    runs = [
        stack.provision(DATABASE, devices[DATABASE][1], slim, "database-server"),
        stack.provision(CACHE, devices[CACHE][1], {}, "cache-server"),
    ]
    for run in map(stack.wait_for_end, runs):
        assert run["status"] == "succeeded", run["status_detail"]
    return worker(stack, devices)


@pytest.fixture(scope="module")
def working(stack: Stack, devices: dict[str, tuple[LabDevice, str]], refused: dict[str, Any]) -> dict[str, Any]:
    """The worker's run after the commands that its refusal named, and nothing else."""
    with ThreadPoolExecutor() as together:
        list(together.map(lambda command: stack.cli(*command.split()), COMMAND.findall(refused["status_detail"])))
    return worker(stack, devices)


def test_a_worker_that_is_not_let_in_is_not_done(
    devices: dict[str, tuple[LabDevice, str]], refused: dict[str, Any]
) -> None:
    assert refused["status"] == "failed"
    assert [step["role"] for step in refused["steps"] if step["status"] == "failed"] == ["connection_check"]
    for name, port in ((DATABASE, 5432), (CACHE, 6379)):
        told = f"{devices[name][0].address} port {port} "
        assert re.search(re.escape(told) + "(refuses the connection|does not answer)", refused["status_detail"]), (
            refused
        )
    assert len(COMMAND.findall(refused["status_detail"])) == 2
    assert devices[WORKER][0].exec(["test", "-e", "/etc/supervisor/conf.d"], check=False).returncode == 0
    assert not devices[WORKER][0].exec(["sh", "-c", "ls /etc/supervisor/conf.d"]).stdout


def test_the_commands_of_the_refusal_let_it_in(working: dict[str, Any]) -> None:
    assert (working["status"], working["status_detail"]) == ("succeeded", "")


def test_what_was_kept_and_what_was_opened(
    stack: Stack, devices: dict[str, tuple[LabDevice, str]], working: dict
) -> None:
    shown = json.loads(stack.cli("server", "show", DATABASE, "--json").stdout)
    assert (shown["config"]["memory_share"], shown["config"]["include_backups"]) == (50, False)
    address = devices[WORKER][0].address
    for name, port in ((DATABASE, "5432"), (CACHE, "6379")):
        rules = [line for line in devices[name][0].exec(["ufw", "status"]).stdout.splitlines() if port in line]
        assert len(rules) == 1 and address in rules[0], rules


PHP = r"""
[$engine, $host, $port, $database, $user, $password, $cacheHost, $cachePort, $cachePassword] = file("php://stdin", 2);
$link = new PDO("pgsql:host=$host;port=$port;dbname=$database", $user, $password);
$link->exec("CREATE TABLE IF NOT EXISTS told (word text)");
$link->prepare("INSERT INTO told VALUES (?)")->execute(["from the worker"]);
$redis = new Redis();
$redis->connect($cacheHost, (int) $cachePort);
$redis->auth($cachePassword);
$redis->set("word", "in the cache");
echo json_encode([$link->query("SELECT word FROM told LIMIT 1")->fetchColumn(), $redis->get("word"), PHP_SAPI]);
"""


def credentials(stack: Stack) -> list[str]:
    blocks = json.loads(stack.cli("server", "credentials", WORKER, "--json").stdout)
    values = [{field["label"]: field["value"] for field in block["fields"]} for block in blocks]
    database, cache = values
    return [
        *(database[key] for key in ("Engine", "Host", "Port", "Database", "User", "Password")),
        *(cache[key] for key in ("Host", "Port", "Password")),
    ]


def test_the_workers_php_uses_both_with_the_credentials_it_gets(
    stack: Stack, devices: dict[str, tuple[LabDevice, str]], working: dict[str, Any]
) -> None:
    asked = devices[WORKER][0].exec(["php8.2", "-r", PHP], input="\n".join(credentials(stack)))
    assert json.loads(asked.stdout) == ["from the worker", "in the cache", "cli"]


def test_there_is_no_web_server_and_no_fpm(devices: dict[str, tuple[LabDevice, str]], working: dict[str, Any]) -> None:
    installed = devices[WORKER][0].exec(["dpkg-query", "-f", "${Package}\n", "-W"]).stdout.split()
    assert not {name for name in installed if name in ("nginx", "redis-server") or name.endswith("-fpm")}
    assert {"php8.2-cli", "supervisor", "redis-tools"} <= set(installed)


def test_the_workers_wait_for_the_application(
    devices: dict[str, tuple[LabDevice, str]], working: dict[str, Any]
) -> None:
    told = devices[WORKER][0].exec(["supervisorctl", "status"]).stdout.splitlines()
    assert len(told) == 4
    assert all("shop-worker" in line and "RUNNING" in line for line in told), told
    settings = devices[WORKER][0].exec(["sh", "-c", "cat /etc/supervisor/conf.d/*"]).stdout
    assert "--queue=a,b" in settings
    assert "stopwaitsecs=3600" in settings


def test_no_password_of_the_others_is_in_what_is_stored_and_shown(
    stack: Stack, refused: dict[str, Any], working: dict[str, Any]
) -> None:
    secrets = [value for value in credentials(stack) if len(value) == 32]
    assert len(secrets) == 2
    texts = [stack.log(), json.dumps(stack.api.get("infrastructure/servers").raise_for_status().json())]
    for run in (refused, working):
        events = stack.api.get(f"runs/{run['id']}/events", params={"limit": 1000}).raise_for_status().json()
        texts += [json.dumps(run), json.dumps(events)]
    assert not [secret for secret in secrets for text in texts if secret in text]


def test_provisioning_it_again_changes_nothing(
    stack: Stack, devices: dict[str, tuple[LabDevice, str]], working: dict[str, Any]
) -> None:
    again = worker(stack, devices)
    assert again["status"] == "succeeded", again["status_detail"]
    assert sum(again["outcome"]["recap"]["changed"].values()) == 0
