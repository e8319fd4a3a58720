"""The life of a server on a real device: planned, provisioned, drifted, changed, decommissioned, made again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from forgelab.lab import LabDevice
from tests.e2e.config import BOOKWORM
from tests.support.stack import Stack

pytestmark = pytest.mark.lab
Join = Callable[..., tuple[LabDevice, str]]
NAME = "life-cache"
NETWORK = "10.78.0.0/24"


@dataclass
class Life:
    stack: Stack
    device: LabDevice
    device_id: str

    def provision(self, server_type: str, name: str, config: dict[str, Any]) -> str:
        body = {"server_type": server_type, "name": name, "device_id": self.device_id, "config": config}
        answer = self.stack.api.post("infrastructure/provision", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["run"]["id"])

    def provisioned(self, server_type: str, name: str, config: dict[str, Any]) -> None:
        run = self.stack.wait_for_end(self.provision(server_type, name, config))
        assert run["status"] == "succeeded", run["status_detail"]

    def plan(self, name: str, *options: str) -> dict[str, Any]:
        pairs = [argument for option in options for argument in ("--set", option)]
        return json.loads(self.stack.cli("server", "plan", name, "--json", *pairs).stdout)

    def server(self, name: str) -> dict[str, Any] | None:
        listed = self.stack.api.get("infrastructure/servers", params={"limit": 200}).raise_for_status().json()
        return next((server for server in listed["results"] if server["name"] == name), None)

    def says(self, *command: str) -> str:
        return self.device.exec(list(command), check=False).stdout.strip()

    def firewall(self) -> set[str]:
        return set(re.findall(r"^(\d+)/tcp\s", self.says("ufw", "status"), re.MULTILINE))


@pytest.fixture(scope="module")
def life(stack: Stack, join: Join) -> Any:
    device, device_id = join("e2e-life", memory="2G")
    yield Life(stack, device, device_id)
    device.remove()


def found(told: dict[str, Any]) -> set[str]:
    return {change["what"] for step in told["plan"]["steps"] for change in step["changes"]}


def test_a_plan_for_a_fresh_device_says_all_and_does_nothing(life: Life) -> None:
    run_id = life.provision("cache-server", NAME, {"allowed_networks": [NETWORK]})
    life.stack.api.post(f"runs/{run_id}/cancel").raise_for_status()
    life.stack.wait_for_end(run_id)

    told = life.plan(NAME)

    assert {"redis-server", "/etc/redis/forgelab.conf", "redis-server.service"} <= found(told)
    assert any("6379" in what for what in found(told))
    assert life.says("sh", "-c", "ls -d /etc/redis /usr/bin/redis-server") == ""


def test_provisioned_a_plan_says_no_changes(life: Life) -> None:
    life.provisioned("cache-server", NAME, {"allowed_networks": [NETWORK]})

    told = life.plan(NAME)

    assert told["plan"]["summary"] == "No changes", told["plan"]["steps"]
    assert life.server(NAME)["drift"]["count"] == 0
    assert {"22", "6379"} <= life.firewall()


def test_what_was_changed_by_hand_is_found_named_and_repaired(life: Life) -> None:
    life.says("sh", "-c", "echo 'maxclients 7' >> /etc/redis/forgelab.conf")
    life.says("sh", "-c", "echo 'requirepass a-password-of-somebody' >> /etc/redis/forgelab-secret.conf")
    life.says("systemctl", "stop", "redis-server")

    drifted = life.stack.cli("server", "drift-check", NAME, check=False)

    assert drifted.returncode == 1, drifted.stdout + drifted.stderr
    for words in ("-maxclients 7", "/etc/redis/forgelab-secret.conf", "service to start: redis-server.service"):
        assert words in drifted.stdout
    assert "3 differences from its plan" in drifted.stdout
    assert life.server(NAME)["drift"]["count"] == 3

    life.stack.cli("server", "provision", "cache-server", "--name", NAME, "--hide-credentials")
    assert life.says("systemctl", "is-active", "redis-server") == "active"
    assert "maxclients" not in life.says("cat", "/etc/redis/forgelab.conf")
    assert life.stack.cli("server", "drift-check", NAME).returncode == 0


def test_no_event_of_any_plan_has_shown_a_secret(life: Life) -> None:
    server = life.server(NAME)
    shown = life.stack.api.get(f"infrastructure/servers/{server['id']}/credentials").raise_for_status().json()
    password = next(field["value"] for block in shown for field in block["fields"] if field["secret"])
    assert password in life.says("cat", "/etc/redis/forgelab-secret.conf")
    plans = [
        run for run in life.stack.api.get("runs", params={"limit": 200}).json()["results"]
        if run["kind"] == "server.plan" and run["subject_id"] == server["id"]
    ]  # fmt: skip
    assert len(plans) >= 4
    for run in plans:
        events = life.stack.api.get(f"runs/{run['id']}/events", params={"limit": 2000}).text
        result = life.stack.api.get(f"runs/{run['id']}/plan").text
        for secret in (password, "a-password-of-somebody"):
            assert secret not in events + result


def test_another_component_is_planned_and_applied_exactly_so(life: Life) -> None:
    planned = life.plan(NAME, "cache_engine=memcached")
    assert {"redis-server.service", "/etc/redis/forgelab.conf", "memcached"} <= found(planned)
    assert life.says("systemctl", "is-active", "redis-server") == "active"

    applied = life.stack.api.post(f"runs/{planned['run']['id']}/apply", json={})
    assert applied.status_code == 202, applied.text
    run = life.stack.wait_for_end(applied.json()["run"]["id"])
    assert run["status"] == "succeeded", run["status_detail"]

    assert life.says("systemctl", "is-active", "redis-server", "memcached").split() == ["inactive", "active"]
    assert life.says("systemctl", "is-enabled", "redis-server") == "disabled"
    assert "forgelab" not in life.says("sh", "-c", "ls /etc/redis /etc/sysctl.d")
    assert life.says("sh", "-c", "command -v redis-server") == "/usr/bin/redis-server"
    assert life.says("sh", "-c", "ls /var/lib/redis") != ""
    assert {"22", "11211"} <= life.firewall() and "6379" not in life.firewall()
    assert life.plan(NAME)["plan"]["summary"] == "No changes"


def test_decommissioned_only_ssh_is_left_and_the_device_is_free(life: Life) -> None:
    assert life.stack.cli("server", "decommission", NAME, "--confirm", "life", check=False).returncode == 1
    life.stack.cli("server", "decommission", NAME, "--confirm", NAME)

    assert life.server(NAME) is None
    assert life.says("systemctl", "is-active", "memcached") == "inactive"
    assert life.says("systemctl", "is-enabled", "memcached") == "disabled"
    assert life.firewall() == {"22"}
    assert life.says("sh", "-c", "command -v memcached") != ""

    life.provisioned("cache-server", "life-again", {})
    assert life.says("systemctl", "is-active", "redis-server") == "active"


def test_a_server_whose_device_is_gone_is_forgotten(life: Life) -> None:
    life.device.kill()
    done = life.stack.cli("server", "decommission", "life-again", "--forget", "--confirm", "life-again")
    assert "was touched" in done.stdout
    assert life.server("life-again") is None


@pytest.mark.matrix
def test_a_database_goes_only_with_a_backup_and_a_purge_takes_what_was_installed(stack: Stack, join: Join) -> None:
    device, device_id = join("e2e-life-app", memory="2G")
    life = Life(stack, device, device_id)
    quick = {**BOOKWORM, "include_nodejs": False, "include_composer": False}
    life.provisioned("laravel-app-server", "life-app", quick)
    stack.cli("server", "change", "life-app", "include_supervisor=no", "--purge", "--hide-credentials")
    assert life.says("sh", "-c", "command -v supervisord") == ""
    assert life.says("systemctl", "is-active", "nginx", "cron").split() == ["active", "active"]

    refused = stack.cli("server", "decommission", "life-app", "--confirm", "life-app", check=False)
    assert "no verified backup of the last 24 hours" in refused.stderr
    stack.cli("server", "backup", "life-app")
    stack.cli("server", "decommission", "life-app", "--confirm", "life-app", "--purge")

    assert life.says("sh", "-c", "command -v nginx php psql redis-server") == ""
    assert "forgelab" not in life.says("ls", "/etc/cron.d")
    assert life.says("sh", "-c", "ls -d /var/lib/redis /var/lib/postgresql/15") == ""
    assert life.says("sh", "-c", "ls /var/backups/forgelab") != ""
    life.provisioned("laravel-app-server", "life-new", quick)
    device.remove()
