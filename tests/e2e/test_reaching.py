"""A device that only the device beside it reaches, by IPv6 and another port; and host keys that change under a run.

The gate is reached by its IPv6 address of the link. Behind it the attic takes SSH on port 2222, from the gate alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forgelab.devices import fingerprints, hostkeys
from forgelab.lab import Lab, LabDevice
from forgelab.lib.processes import RUN_MARK, end_marked, marked
from tests.e2e.lab_devices import left_on, link_local
from tests.support.stack import Stack, wait_for

pytestmark = pytest.mark.lab
GATE, ATTIC = "e2e-gate", "e2e-attic"
MEMCACHED = {"cache_engine": "memcached", "memcached_memory_mb": 64}
ONLY_FROM = """\
nft add table inet way
nft add chain inet way in '{{ type filter hook input priority -10; }}'
nft add rule inet way in ip6 saddr {gate} tcp dport 2222 accept
nft add rule inet way in tcp dport '{{ 22, 2222 }}' drop
"""
NEW_KEYS = "rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh"


@dataclass
class Way:
    """Both machines, the gate's address, and the id that ForgeLab knows the attic by."""

    gate: LabDevice
    gate_address: str
    attic: LabDevice
    attic_id: str


@pytest.fixture(scope="module")
def way(lab: Lab, stack: Stack) -> Iterator[Way]:
    gate, attic = lab.up_many([GATE, ATTIC], memory="1G", cpus=2)
    attic.exec(["sh", "-c", "echo 'Port 2222' >/etc/ssh/sshd_config.d/port.conf; systemctl restart ssh"])
    attic.exec(["sh", "-c", ONLY_FROM.format(gate=gate.address6)])
    key = ["--key", str(lab.key_path), "--accept-key"]
    gate_address = f"{link_local(gate)}%{lab.site.bridge}"
    stack.cli("device", "add", GATE, gate_address, *key)
    stack.cli("device", "add", ATTIC, attic.address6, "--via", GATE, "--port", "2222", "--user", "homelab", *key)
    yield Way(gate, gate_address, attic, device_id(stack, ATTIC))
    for device in (gate, attic):
        device.remove()


def device_id(stack: Stack, name: str) -> str:
    shown = stack.cli("device", "show", name).stdout
    found = re.search(r"Id: +(\S+)", shown)
    assert found, shown
    return found[1]


def test_a_run_behind_a_jump_host_can_be_cancelled_and_leaves_nothing(stack: Stack, way: Way) -> None:
    with pytest.raises(hostkeys.HostKeyError):
        hostkeys.scan(way.attic.address6, 2222, timeout=2)
    run_id = stack.provision("attic-cache", way.attic_id, MEMCACHED, "cache-server")
    wait_for(lambda: works_on(stack, way.attic, run_id), 600, "the run works behind the gate")
    ways = [arguments(pid) for pid in marked(run_id)]
    assert any("-W" in words and way.gate_address in words for words in ways), ways
    stack.api.post(f"runs/{run_id}/cancel").raise_for_status()
    run = stack.wait_for_end(run_id, timeout=300)
    assert run["status"] == "cancelled"
    assert marked(run_id) == []
    assert left_on(way.attic, run_id) == ""


def works_on(stack: Stack, device: LabDevice, run_id: str) -> bool:
    run = stack.run(run_id)
    assert not run["finished_at"], f"the run ended before: {run['status_detail']}"
    return bool(left_on(device, run_id))


def arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def test_a_device_behind_a_jump_host_is_provisioned_through_it(stack: Stack, way: Way) -> None:
    run = stack.wait_for_end(stack.provision("attic-cache", way.attic_id, MEMCACHED, "cache-server"))
    assert run["status"] == "succeeded", run["status_detail"]
    assert way.attic.exec(["systemctl", "is-active", "memcached"]).stdout == "active\n"
    assert "2222/tcp" in way.attic.exec(["ufw", "status"]).stdout  # the firewall lets its own SSH port in
    assert way.gate.exec(["sh", "-c", "command -v memcached"], check=False).returncode != 0
    assert marked(run["id"]) == []
    removed = stack.cli("device", "remove", GATE, check=False)
    assert f"{ATTIC} is reached through it" in removed.stderr
    removed = stack.cli("device", "remove", ATTIC, check=False)
    assert "attic-cache is still on it" in removed.stderr


def test_the_exported_project_goes_the_same_way(stack: Stack, way: Way, tmp_path: Path) -> None:
    exported = tmp_path / "a folder" / "out"
    stack.cli("export", str(exported))
    mark = str(uuid.uuid4())
    with tempfile.TemporaryDirectory(dir="/dev/shm") as sockets:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", RUN_MARK: mark,
            "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{sockets}/{mark}",
        }  # fmt: skip
        playbook = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventories/homelab"]
        done = subprocess.run(
            [*playbook, "playbooks/attic-cache.yml"], cwd=exported, env=environment, capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
        assert re.search(r"changed=0\s", done.stdout)
        assert end_marked(mark)  # one kept connection, and the way to it


def test_a_changed_host_key_of_the_gate_stops_the_run_and_names_it(stack: Stack, way: Way) -> None:
    old = shown_by(way.gate)
    way.gate.exec(["sh", "-c", NEW_KEYS])
    before = changes_of(way.attic)
    run = stack.wait_for_end(stack.provision("attic-cache", way.attic_id, MEMCACHED, "cache-server"), timeout=300)
    assert run["status"] == "failed"
    said = run["status_detail"]
    assert said.startswith(f"{ATTIC} is reached through {GATE}. HOST KEY CHANGED: that of {GATE} "), said
    assert old in said and shown_by(way.gate) in said
    assert said.endswith(f"forgelab device trust {GATE}")
    assert changes_of(way.attic) == before
    refused = stack.cli("device", "trust", ATTIC, "--accept-key", check=False)
    assert f"forgelab device trust {GATE}" in refused.stderr
    stack.cli("device", "trust", GATE, "--fingerprint", shown_by(way.gate))


def test_a_changed_host_key_stops_every_run_until_it_is_trusted_on_purpose(stack: Stack, way: Way) -> None:
    old = shown_by(way.attic)
    way.attic.exec(["sh", "-c", NEW_KEYS])
    new, before = shown_by(way.attic), changes_of(way.attic)
    for _ in range(2):
        run = stack.wait_for_end(stack.provision("attic-cache", way.attic_id, MEMCACHED, "cache-server"), timeout=300)
        assert run["status"] == "failed"
        assert run["status_detail"].startswith(f"HOST KEY CHANGED: that of {ATTIC} "), run["status_detail"]
        assert old in run["status_detail"] and new in run["status_detail"]
        assert run["status_detail"].endswith(f"forgelab device trust {ATTIC}")
    looked = stack.cli("device", "refresh", ATTIC, check=False)
    assert looked.returncode == 1 and "HOST KEY CHANGED" in looked.stderr
    trusted = stack.cli("device", "trust", ATTIC, check=False)
    assert trusted.returncode == 1 and "Nobody is here to compare fingerprints" in trusted.stderr
    assert old in stack.cli("device", "show", ATTIC).stdout
    assert changes_of(way.attic) == before
    with stack.logged_in() as browser:
        assert "HOST KEY CHANGED" in browser.get(f"/devices/{ATTIC}/").text
        page = browser.get(f"/devices/{ATTIC}/trust/").text
        assert old in page and new in page
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        form = {"accepted": new, "csrfmiddlewaretoken": token[1]}
        pinned = browser.post(f"/devices/{ATTIC}/trust/", data=form, headers={"Referer": stack.url})
        assert new in pinned.text and old not in pinned.text
    run = stack.wait_for_end(stack.provision("attic-cache", way.attic_id, MEMCACHED, "cache-server"))
    assert run["status"] == "succeeded", run["status_detail"]
    assert sum(run["outcome"]["recap"]["changed"].values()) == 0


def shown_by(device: LabDevice) -> str:
    """The fingerprint of its ed25519 host key, as the device itself says it."""
    key = device.exec(["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout
    return fingerprints.parse(key)[0].fingerprint


def changes_of(device: LabDevice) -> str:
    """Every file outside of memory, with the time of its last change, and who logged in."""
    find = "find /etc /usr /var /home /root -xdev -type f -not -path '/var/log/*' -printf '%p %T@\\n' | sort"
    return device.exec(["sh", "-c", find]).stdout
