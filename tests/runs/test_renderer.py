"""The rendered project: its exact text, that hostile values arrive as themselves, and that no secret is in clear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from forgelab.devices.access import Host
from forgelab.runs.plan import Plan, PlannedRole
from forgelab.runs.renderer import Deployment, inventory, render
from forgelab.runs.workspace import write_project
from tests.support import secrets

GOLDEN = Path(__file__).parent / "golden"
PASSWORD = "vault-password-of-this-test"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nnot-a-real-key\n-----END OPENSSH PRIVATE KEY-----\n"
HOST = Host(
    name="homelab-server-02", address="192.168.1.105", port=22, user="deploy", identity="forgelab", private_key=KEY,
    known_hosts="homelab-server-02 ssh-ed25519 AAAA\n",
)  # fmt: skip
GATE = Host(
    name="homelab-gate", address="fd00::5", port=22, user="homelab", identity="gate-key", private_key=KEY,
    known_hosts="homelab-gate ssh-ed25519 CCCC\n",
)  # fmt: skip
PI = Host(
    name="homelab-pi-01", address="fe80::1%eth0", port=2222, user="root", identity="pi-key", private_key=KEY,
    known_hosts="homelab-pi-01 ssh-ed25519 BBBB\n", jump=GATE,
)  # fmt: skip
HERE = Host(
    name="homelab-here", address="localhost", port=22, user="root", identity="", private_key="", known_hosts="",
    connection="local",
)  # fmt: skip
PLAN = Plan(
    slug="laravel-production",
    title="Provision laravel-production",
    roles=(
        PlannedRole("preflight", "Checking the device", expressions={"preflight_packages": "{{ nginx_packages }}"}),
        PlannedRole("nginx", "Setting up Nginx", variables={"nginx_domain": "{{ 7*7 }}", "nginx_ports": [80, 443]}),
        PlannedRole("redis", "Setting up Redis", secrets={"redis_password": "s3cret {{ password }}"}),
    ),
    generated_roles={"laravel_app_server": {"tasks/main.yml": "---\n[]\n"}},
)
FILES = {
    "ansible.cfg", "inventories/homelab/hosts.yml", "playbooks/laravel-production.yml", "requirements.yml", "site.yml",
    "vars/laravel-production.yml", "ssh/known_hosts", "ssh/via_homelab-gate",
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(FILES))
def test_the_project_is_exactly_this(path):
    second = Plan(slug="db", title="Provision db", roles=(PlannedRole("postgresql", "Setting up PostgreSQL 15"),))
    third = Plan(slug="files", title="Provision files", roles=(PlannedRole("nginx", "Setting up Nginx"),))
    text = render([Deployment(PLAN, HOST), Deployment(second, PI), Deployment(third, HERE)], PASSWORD)[path]
    golden = GOLDEN / path.replace("/", "__")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def test_the_order_of_servers_does_not_matter():
    plans = [Deployment(Plan(slug=slug, title=slug, roles=()), HOST) for slug in ("b", "a", "c")]
    one, other = render(plans, PASSWORD), render(plans[::-1], PASSWORD)
    assert list(one) == list(other) == sorted(one)
    assert {path: text for path, text in one.items() if "vault" not in path} == {
        path: text for path, text in other.items() if "vault" not in path
    }


def test_secrets_are_in_clear_nowhere_but_where_they_must(tmp_path):
    write_project(tmp_path, render([Deployment(PLAN, HOST)], PASSWORD))
    found = secrets.in_tree(tmp_path, ["s3cret {{ password }}", "not-a-real-key", PASSWORD])
    assert found == [".vault-password: vaul...", "ssh/forgelab: not-..."]
    modes = {path: path.stat().st_mode & 0o077 for path in [tmp_path, *tmp_path.rglob("*")] if path != tmp_path}
    assert set(modes.values()) == {0}


def test_everybody_on_the_way_has_its_key_in_the_project_and_nobody_else():
    names = {path for path in render([Deployment(PLAN, PI)], PASSWORD) if path.startswith("ssh/")}
    assert names == {"ssh/known_hosts", "ssh/pi-key", "ssh/gate-key", "ssh/via_homelab-gate"}
    assert {path for path in render([Deployment(PLAN, HERE)], PASSWORD) if path.startswith("ssh/")} == {
        "ssh/known_hosts"
    }


def test_the_same_address_in_another_network_has_a_connection_of_its_own():
    twin = replace(HOST, name="homelab-twin", address=PI.address, port=PI.port, user=PI.user, jump=GATE)
    other = replace(twin, name="homelab-other", jump=replace(GATE, name="other-gate"))
    hosts = inventory([Deployment(replace(PLAN, slug=host.name), host) for host in (twin, other)])["all"]["hosts"]
    assert len({variables["ansible_control_path"] for variables in hosts.values()}) == 2


def test_the_vault_opens_with_ansible_vault(tmp_path):
    write_project(tmp_path, render([Deployment(PLAN, HOST)], PASSWORD))
    view = ["ansible-vault", "view", "--vault-password-file", ".vault-password", "vars/laravel-production.vault.yml"]
    done = subprocess.run([Path(sys.executable).with_name(view[0]), *view[1:]], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().endswith('---\nredis_password: !unsafe "s3cret {{ password }}"\n')


HOSTILE = [
    "{{ 7*7 }}", "{% if 1 %}x{% endif %}", "{# note #}", "{{", "}}", "a {{ b", "{'a': 1}", "!unsafe x", "!vault |",
    "'", '"', "\"'`", "\\", "\\n", "a\nb\n", "\n", "\n\n  indented\n trailing  \n", "\ttab", " spaces ", "", " ",
    "#not a comment", "a: b", "- item", "key:", "[x]", "*alias", "&anchor", "?", "|", ">", "%TAG", "@at", "`tick`",
    "yes", "No", "on", "true", "null", "~", "1e3", "1.0e+3", "0o7", "0x1f", "017", "1_000", "12:30:45", ".inf", ".nan",
    "=", "<<", "2026-01-02", "2026-01-02 03:04:05", "--- doc", "...", "é ü 漢字 😀", "\u2028\u2029\u0085\u00a0\ufeff",
    "$(id)", "`id`", "; touch pwned;", "${HOME}", "%(x)s", "x" * 20_000, ("word " * 4000).strip(),
    "\u0085", "a\u2028b", ("é'\"\\ {{ x }}\n" * 500),
]  # fmt: skip


def test_every_hostile_value_arrives_on_the_device_as_itself(tmp_path):
    """Through the real ansible-playbook, once for all values: as variables, as secrets, nested, and as keys."""
    values = {f"probe_{n}": value for n, value in enumerate(HOSTILE)}
    nested = {"list": HOSTILE, "map": {value: value for value in HOSTILE}, "numbers": [1, -1, 0.5, True, None]}
    arrived = tmp_path / "arrived.json"
    names = [*values, *(f"{name}_secret" for name in values), "probe_nested", "probe_nested_secret"]
    write = {
        "name": "Write what arrived",
        "ansible.builtin.copy": {
            "content": "{{ probe_names | map('extract', vars) | to_json }}", "dest": str(arrived), "mode": "0600",
        },
    }  # fmt: skip
    plan = Plan(
        slug="probe",
        title="{{ 7*7 }} and: quotes '\"",
        roles=(
            PlannedRole(
                "probe", "Probe", variables={**values, "probe_nested": nested, "probe_names": names},
                secrets={**{f"{name}_secret": value for name, value in values.items()}, "probe_nested_secret": nested},
            ),
        ),
        generated_roles={"probe": {"tasks/main.yml": yaml.safe_dump([write])}},
    )  # fmt: skip
    write_project(tmp_path / "project", render([Deployment(plan, HOST)], PASSWORD))
    playbook = Path(sys.executable).with_name("ansible-playbook")
    here = f"ansible_python_interpreter={sys.executable} ansible_become=false"
    done = subprocess.run(
        [playbook, "-c", "local", "-e", here, "site.yml"],
        cwd=tmp_path / "project", capture_output=True, text=True, timeout=120,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(arrived.read_text()) == [*values.values(), *values.values(), nested, nested]


def test_a_plan_survives_its_storage():
    assert Plan.from_json(json.loads(json.dumps(PLAN.to_json()))) == Plan.from_json(PLAN.to_json())
    stored = Plan.from_json(json.loads(json.dumps(PLAN.to_json())))
    assert render([Deployment(stored, HOST)], PASSWORD).keys() == render([Deployment(PLAN, HOST)], PASSWORD).keys()
    assert KEY not in repr(HOST)
