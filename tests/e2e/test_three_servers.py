"""A database, a cache and a worker on one device: none undoes another's work, and what one leaves the others keep."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.colocation import LONG, NETWORK, Home, Join
from tests.support.stack import Stack

pytestmark = [pytest.mark.lab, pytest.mark.matrix]
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
DATABASE, CACHE, WORKER = "share-books", "share-fast", "share-jobs"
ADDRESS = "10.78.0.7/32"


@pytest.fixture(scope="module")
def home(stack: Stack, join: Join) -> Any:
    device, device_id = join("e2e-share", memory="3G")
    home = Home(stack, device, device_id)
    home.provision("database-server", DATABASE, include_backups=False, allowed_networks=[NETWORK])
    home.provision("cache-server", CACHE, allowed_networks=[ADDRESS])
    home.provision(
        "laravel-worker-server", WORKER, database_server=DATABASE, cache_server=CACHE, php_version="8.2",
        include_composer=False,
    )  # fmt: skip
    yield home
    device.remove()


TYPES = {DATABASE: "database-server", CACHE: "cache-server", WORKER: "laravel-worker-server"}


def test_reprovisioned_none_of_them_changes_anything(home: Home) -> None:
    assert {name: home.again(kind, name) for name, kind in TYPES.items()} == {name: 0 for name in TYPES}


@pytest.mark.parametrize("name", TYPES)
def test_none_has_drifted_from_its_plan(home: Home, name: str) -> None:
    assert home.planned(name) == "No changes"


def test_each_has_its_own_ports_open(home: Home) -> None:
    assert home.running("postgresql@15-main", "redis-server", "supervisor", "ufw") == ["active"] * 4
    assert home.firewall() == {"22": {"Anywhere"}, "5432": {NETWORK}, "6379": {ADDRESS.removesuffix("/32")}}


PHP = r"""
[$port, $database, $user, $password, $cachePort, $cachePassword] = file("php://stdin", 2);
$link = new PDO("pgsql:host=127.0.0.1;port=$port;dbname=$database", $user, $password);
$redis = new Redis();
$redis->connect("127.0.0.1", (int) $cachePort);
$redis->auth($cachePassword);
$redis->set("word", "kept");
echo json_encode([$link->query("SELECT 'asked'")->fetchColumn(), $redis->get("word")]);
"""


def test_the_worker_uses_both_over_loopback(home: Home) -> None:
    blocks = json.loads(home.stack.cli("server", "credentials", WORKER, "--json").stdout)
    database, cache = ({field["label"]: field["value"] for field in block["fields"]} for block in blocks)
    assert (database["Host"], cache["Host"]) == ("127.0.0.1", "127.0.0.1")
    lines = [database[key] for key in ("Port", "Database", "User", "Password")] + [cache["Port"], cache["Password"]]
    asked = home.device.exec(["php8.2", "-r", PHP], input="\n".join(lines))
    assert json.loads(asked.stdout) == ["asked", "kept"]


def test_the_cache_does_not_count_on_memory_that_is_reserved_for_the_database(home: Home) -> None:
    total = int(home.says("sh", "-c", "sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) // 1024
    limit = home.says("sh", "-c", "sed -n 's/^maxmemory \\([0-9]*\\)mb/\\1/p' /etc/redis/forgelab.conf")
    assert int(limit) == (total - 1024) // 2


def test_the_exported_project_changes_nothing(home: Home, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("export")  # a short name: ssh's sockets lie below it
    home.stack.cli("export", str(folder / "homelab"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [str(ANSIBLE_PLAYBOOK), "-i", "inventories/homelab", "site.yml", "--limit", "e2e-share"],
        cwd=folder / "homelab", env=environment, capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"e2e-share .* changed=0 ", done.stdout.split("PLAY RECAP")[1]), done.stdout


def test_what_a_device_can_have_once_is_refused_by_name(home: Home) -> None:
    for server_type, title, holder in (("database-server", "PostgreSQL", DATABASE), ("cache-server", "Redis", CACHE)):
        refused = home.ask(server_type, "share-other")
        assert refused.status_code == 400, refused.text
        sentence = f"{holder} is on it already and has {title} there, which a device can have once"
        assert sentence in refused.text


def test_a_port_that_one_closes_stays_open_for_the_others(home: Home) -> None:
    home.stack.cli("server", "change", CACHE, "allowed_networks=", "--hide-credentials", timeout=LONG)
    assert home.firewall() == {"22": {"Anywhere"}, "5432": {NETWORK}}
    assert home.planned(DATABASE) == "No changes"


def test_the_cache_goes_with_its_packages_and_the_others_stay_as_they_are(home: Home) -> None:
    used = home.stack.cli("server", "decommission", CACHE, "--confirm", CACHE, check=False)
    assert f"{WORKER} uses {CACHE}" in used.stderr
    home.stack.cli("server", "change", WORKER, "include_cache=no", "--hide-credentials", timeout=LONG)

    home.stack.cli("server", "decommission", CACHE, "--confirm", CACHE, "--purge", timeout=LONG)

    assert home.running("postgresql@15-main", "supervisor", "ufw") == ["active"] * 3
    assert home.says("sh", "-c", "command -v redis-server") == ""
    assert home.firewall() == {"22": {"Anywhere"}, "5432": {NETWORK}}
    assert [home.planned(name) for name in (DATABASE, WORKER)] == ["No changes"] * 2


def test_the_last_one_leaves_ssh_open_alone(home: Home) -> None:
    home.stack.cli("server", "decommission", WORKER, "--confirm", WORKER, timeout=LONG)
    assert home.firewall() == {"22": {"Anywhere"}, "5432": {NETWORK}}
    without = ["--without-backup", f"remove {DATABASE} without a backup"]
    home.stack.cli("server", "decommission", DATABASE, "--confirm", DATABASE, *without, timeout=LONG)
    assert home.firewall() == {"22": {"Anywhere"}}
