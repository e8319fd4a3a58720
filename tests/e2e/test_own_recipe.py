"""A recipe dropped into the folder of a running ForgeLab: offered everywhere, provisioned, broken, told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from forgelab.lab import LabDevice
from tests.support.stack import Stack, wait_for

pytestmark = pytest.mark.lab
ID = "static-site"
MANIFEST = """\
id: static-site
name: "Static Site"
tagline: "Files, served by Nginx"
server_type: web_server
requirements: {memory: {minimum: 256MB}, storage: {minimum: 1GB}}
components:
  - {name: nginx, app_name: "${APP_NAME}", domain: "${DOMAIN}", php_socket: "", upload_max_mb: "${LARGEST_UPLOAD}"}
  - {name: greeter, text: "${GREETING}"}
  - {name: firewall, when: include_firewall}
config_options:
  - {name: largest_upload, label: "Largest upload in MB", type: integer, default: 8, min: 1, max: 1024}
  - {name: greeting, label: "What to say", type: string, default: "hello"}
  - {name: include_firewall, label: "Set up the firewall", type: boolean, default: true}
"""
ROLE = {
    "tasks/main.yml": """\
---
- name: Greet
  forgelab.homelab.config_files:
    files: [{content: "{{ greeter_text }}\\n", dest: /etc/greeting}]
""",
    "defaults/main.yml": "---\ngreeter_text: hello\n",
    "meta/argument_specs.yml": """\
---
argument_specs:
  main:
    short_description: Greeter
    options:
      greeter_text: {type: str, default: hello, description: What to say.}
""",
    "vars/main.yml": """\
---
greeter_packages: []
greeter_services: []
greeter_ports: []
greeter_report: {name: greeter, title: Greeter, command: [echo, "greeter 1.0"], pattern: "greeter ([0-9.]+)"}
""",
}
GREETING = "{{ 7 * 6 }} $(reboot)"  # what somebody types is data, in a role of their own too


@pytest.fixture(scope="module")
def manifest(stack: Stack) -> Iterator[Path]:
    """The recipe, dropped while everything runs."""
    folder = stack.data_dir / "recipes" / ID
    for path, text in ROLE.items():
        (folder / "roles/greeter" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "roles/greeter" / path).write_text(text)
    (folder / "manifest.yaml").write_text(MANIFEST)
    yield folder / "manifest.yaml"
    (folder / "manifest.yaml").write_text(MANIFEST)


@pytest.fixture(scope="module")
def server(
    stack: Stack, join: Callable[..., tuple[LabDevice, str]], manifest: Path
) -> Iterator[tuple[LabDevice, dict]]:
    """A server made from it: its device, and the run."""
    device, device_id = join("e2e-own-recipe", memory="1G")
    config = {"largest_upload": 5, "greeting": GREETING}
    body = {"server_type": ID, "name": "pages", "device_id": device_id, "config": config}
    answer = stack.api.post("infrastructure/provision", json=body)
    assert answer.status_code == 202, answer.text
    run = stack.wait_for_end(answer.json()["run"]["id"])
    assert run["status"] == "succeeded", run["status_detail"]
    yield device, run
    device.remove()


def types(stack: Stack) -> tuple[set[str], dict[str, str]]:
    """The server types that the API offers, and what it says of recipes that cannot be used."""
    listed = stack.api.get("infrastructure/server-types").raise_for_status().json()
    problems = {
        report["file"]: "; ".join(f"{problem['key']}: {problem['message']}" for problem in report["problems"])
        for report in listed["problems"]
    }
    return {row["id"] for row in listed["results"]}, problems


def test_it_is_offered_by_form_api_schema_and_command_line(stack: Stack, manifest: Path) -> None:
    assert ID in types(stack)[0]
    schema = stack.api.get("schema", params={"format": "json"}).raise_for_status().json()
    assert schema["components"]["schemas"]["StaticSiteConfig"]["properties"]["largest_upload"]["maximum"] == 1024
    assert "Static Site" in stack.cli("recipes", "list").stdout
    assert "Largest upload in MB" in stack.cli("recipes", "show", ID).stdout
    with stack.logged_in() as browser:
        assert "Files, served by Nginx" in browser.get("/provision/").text
        assert "Largest upload in MB" in browser.get(f"/provision/{ID}/").text
        assert "What to say" in browser.get(f"/provision/{ID}/about/").text


def test_a_server_is_made_from_it_with_the_role_it_brings(stack: Stack, server: tuple[LabDevice, dict]) -> None:
    device, run = server
    assert [step["role"] for step in run["steps"] if step["role"] in ("nginx", "greeter", "firewall")] == [
        "nginx", "greeter", "firewall",
    ]  # fmt: skip
    assert device.exec(["cat", "/etc/greeting"]).stdout == f"{GREETING}\n"
    assert "client_max_body_size 13m;" in device.exec(["nginx", "-T"]).stdout
    assert "Status: active" in device.exec(["ufw", "status"]).stdout
    page = httpx.get(f"http://{device.address}/", headers={"Host": "pages.homelab.local"}, trust_env=False)
    assert page.status_code == 200
    listed = stack.api.get("infrastructure/servers").raise_for_status().json()["results"]
    versions = {c["name"]: c["version"] for row in listed if row["name"] == "pages" for c in row["components"]}
    assert versions["greeter"] == "1.0"


def test_the_export_has_the_role_and_changes_nothing(
    stack: Stack, server: tuple[LabDevice, dict], tmp_path: Path
) -> None:
    stack.cli("export", str(tmp_path / "out"))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventories/homelab"]
    done = subprocess.run(
        [*command, "playbooks/pages.yml"], cwd=tmp_path / "out", capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
    assert re.search(r"changed=0\s", done.stdout)
    assert (tmp_path / "out/roles/greeter/tasks/main.yml").read_text() == ROLE["tasks/main.yml"]


def test_broken_it_is_reported_everywhere_and_the_others_still_work(
    stack: Stack, server: tuple[LabDevice, dict], manifest: Path
) -> None:
    manifest.write_text(MANIFEST.replace("name: nginx", "name: ngnix"))
    offered, problems = types(stack)
    assert ID not in offered
    assert "laravel-app-server" in offered
    said = 'components[0].name: there is no role "ngnix"; did you mean "nginx"?'
    assert problems[f"{ID}/manifest.yaml"].startswith(said)
    checked = stack.cli("recipes", "check", check=False)
    assert checked.returncode == 1
    assert f"{ID}/manifest.yaml:\n  line 7: components[0].name: " in checked.stdout
    line = f"the recipe {ID}/manifest.yaml cannot be used: line 7: components[0].name"
    wait_for(lambda: line in stack.log(), 10, "the log says so")
    with stack.logged_in() as browser:
        page = browser.get("/provision/").text
        assert f"{ID}/manifest.yaml" in page
        assert "components[0].name" in page
        assert browser.get(f"/provision/{ID}/").status_code == 404
        assert browser.get("/provision/laravel-app-server/").status_code == 200
        assert browser.get("/servers/pages/").status_code == 200  # what was made from it is still there
    again = stack.cli("server", "provision", ID, "--name", "pages", check=False)
    assert again.returncode == 1
    assert f'the recipe "{ID}" cannot be used; {ID}/manifest.yaml: line 7: components[0].name: ' in again.stderr
    manifest.write_text(MANIFEST)
    assert ID in types(stack)[0]
    assert json.loads(stack.cli("server", "show", "pages", "--json").stdout)["status"] == "active"
