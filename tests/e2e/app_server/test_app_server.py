"""An App Server from nothing: provisioned, proved, reprovisioned without a change, exported, taken away."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from forgelab.lab import Lab, LabDevice
from tests.e2e.config import BOOKWORM, NAME
from tests.support.stack import Stack

pytestmark = pytest.mark.lab
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


def changed_tasks(run: dict) -> int:
    return sum(run["outcome"]["recap"]["changed"].values())


def test_every_step_is_done_and_has_its_seconds(provisioned: dict) -> None:
    assert len(provisioned["steps"]) >= 10
    assert {step["status"] for step in provisioned["steps"]} == {"succeeded"}
    assert all(step["seconds"] is not None for step in provisioned["steps"])
    assert provisioned["percent"] == 100


def test_the_versions_installed_are_those_the_device_reports(
    stack: Stack, device: tuple[LabDevice, str], provisioned: dict
) -> None:
    server = next(s for s in listed(stack, "infrastructure/servers") if s["name"] == NAME)
    versions = {component["name"]: component["version"] for component in server["components"]}
    assert versions["nginx"] == re.search(r"/([\d.]+)", device[0].exec(["nginx", "-v"]).stderr)[1]
    assert versions["php"].startswith("8.2.")
    assert versions["nodejs"].startswith("20.")
    assert {"postgresql", "redis", "composer", "supervisor"} <= versions.keys()
    assert all(versions.values()), versions


def listed(stack: Stack, path: str) -> list[dict]:
    answer = stack.api.get(path).raise_for_status().json()
    return answer["results"] if isinstance(answer, dict) else answer


def test_services_are_active_and_listen_only_where_they_should(
    device: tuple[LabDevice, str], provisioned: dict
) -> None:
    units = ["nginx", "php8.2-fpm", "postgresql", "redis-server", "supervisor", "cron"]
    states = device[0].exec(["systemctl", "is-active", *units]).stdout.split()
    assert states == ["active"] * len(units)
    listening = device[0].exec(["ss", "-Hltn"]).stdout.split("\n")
    addresses = {line.split()[3] for line in listening if line}
    outside = {address for address in addresses if not address.startswith(("127.", "[::1]"))}
    assert {address.rsplit(":", 1)[1] for address in outside} == {"22", "80"}


def test_settings_are_in_force_as_the_services_themselves_report_them(
    device: tuple[LabDevice, str], provisioned: dict
) -> None:
    php = device[0].exec(["php-fpm8.2", "-i"]).stdout
    assert "opcache.enable => On => On" in php
    pool = device[0].exec(["php-fpm8.2", "-tt"], check=False).stderr
    for setting in ("pm = dynamic", "pm.max_children = 20", "pm.start_servers = 5", "pm.min_spare_servers = 2"):
        assert setting in pool
    assert "pm.max_spare_servers = 10" in pool
    shared_buffers = device[0].exec(["runuser", "-u", "postgres", "--", "psql", "-Atc", "show shared_buffers"]).stdout
    assert shared_buffers.strip() != "128MB"  # PostgreSQL's own default: not tuned
    status = device[0].exec(["ufw", "status"]).stdout
    assert "Status: active" in status
    assert all(re.search(rf"^{port}(/tcp)?\s+ALLOW", status, re.M) for port in (22, 80, 443))
    assert "schedule:run" in device[0].exec(["sh", "-c", "cat /etc/cron.d/forgelab-*"]).stdout


def test_a_page_is_served_before_the_first_deploy(device: tuple[LabDevice, str], provisioned: dict) -> None:
    answer = httpx.get(f"http://{device[0].address}/", headers={"Host": f"{NAME}.homelab.local"}, trust_env=False)
    assert answer.status_code == 200


def test_provisioning_again_changes_nothing(stack: Stack, device: tuple[LabDevice, str], provisioned: dict) -> None:
    run = stack.wait_for_end(stack.provision(NAME, device[1], BOOKWORM))
    assert run["status"] == "succeeded", run["status_detail"]
    changed = [e["task"] for e in listed(stack, f"runs/{run['id']}/events?limit=1000") if e["changed"]]
    assert changed == []
    assert changed_tasks(run) == 0


def playbook(directory: Path, *arguments: str) -> dict[str, str]:
    """Run the exported project by plain ansible-playbook, as somebody without ForgeLab would; the recap's figures."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [str(ANSIBLE_PLAYBOOK), "-i", "inventories/homelab", "site.yml", *arguments],
        cwd=directory, env=environment, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return dict(figure.split("=") for figure in re.findall(r"\w+=\d+", done.stdout.split("PLAY RECAP")[1]))


@pytest.fixture(scope="module")
def exported(stack: Stack, provisioned: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("export") / "homelab"
    stack.cli("export", str(directory))
    return directory


def test_the_exported_project_changes_nothing_after_forgelab(exported: Path) -> None:
    assert playbook(exported, "--limit", "e2e-app")["changed"] == "0"


def test_the_exported_project_lists_its_tasks_and_knows_tags(exported: Path) -> None:
    command = [str(ANSIBLE_PLAYBOOK), "-i", "inventories/homelab", "site.yml", "--tags", "nginx", "--list-tasks"]
    shown = subprocess.run(command, cwd=exported, capture_output=True, text=True, check=True).stdout
    assert "Configure nginx" in shown
    assert "Read the device's facts" in shown  # whatever is asked for: the roles need them
    assert "Configure PostgreSQL" not in shown


def test_the_exported_project_provisions_a_fresh_device_with_the_same_result(
    lab: Lab, exported: Path, device: tuple[LabDevice, str]
) -> None:
    fresh = lab.up("e2e-fresh", memory="4G", cpus=2)
    inventory = exported / "inventories/homelab/hosts.yml"
    inventory.write_text(inventory.read_text().replace(device[0].address, fresh.address))
    keys = [line.split(maxsplit=1)[1] for line in fresh.host_keys()]
    (exported / "ssh/known_hosts").write_text("".join(f"{device[0].name} {key}\n" for key in keys))
    try:
        assert playbook(exported, "--limit", "e2e-app")["failed"] == "0"
        assert installed(fresh) == installed(device[0])
        assert playbook(exported, "--limit", "e2e-app")["changed"] == "0"
    finally:
        fresh.remove()


def installed(device: LabDevice) -> set[str]:
    return set(device.exec(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n"]).stdout.splitlines())


def test_a_version_that_the_device_does_not_offer_is_refused_before_anything_is_touched(
    stack: Stack, join: Callable[..., tuple[LabDevice, str]]
) -> None:
    device, device_id = join("e2e-refused")
    before = installed(device)
    run = stack.wait_for_end(stack.provision("too-new", device_id, {**BOOKWORM, "php_version": "8.3"}))
    assert run["status"] == "failed"
    assert "8.3" in run["status_detail"]
    assert "8.2" in run["status_detail"]
    assert [step["status"] for step in run["steps"][:3]] == ["succeeded", "failed", "skipped"]
    assert installed(device) == before
    device.remove()


def test_credentials_open_the_database(stack: Stack, device: tuple[LabDevice, str], provisioned: dict) -> None:
    server = next(s for s in listed(stack, "infrastructure/servers") if s["name"] == NAME)
    text = stack.api.get(f"infrastructure/servers/{server['id']}/credentials").raise_for_status().text
    blocks = json.loads(text)
    blocks = blocks.get("credentials", blocks) if isinstance(blocks, dict) else blocks
    fields = {field["label"]: field["value"] for field in blocks[0]["fields"]}
    assert fields["Database"] == "laravel_production"
    assert fields["User"] == "laravel_user"
    login = f"postgresql://{fields['User']}:{fields['Password']}@127.0.0.1/{fields['Database']}"
    assert device[0].exec(["psql", login, "-Atc", "select 40 + 2"]).stdout.strip() == "42"
