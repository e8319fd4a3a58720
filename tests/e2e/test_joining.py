"""The three ways in which a real device joins: by a command run on it, by a password used once, by a key."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from forgelab.lab import Lab, LabDevice
from tests.e2e.browser import CHROMIUM, chromium
from tests.e2e.joining import ProcessArguments, has_user, make_token, remains, run_on, shown
from tests.support import secrets
from tests.support.stack import Stack, wait_for

pytestmark = pytest.mark.lab
PASSWORD = "Correct-Horse-7-Staple"
PASSPHRASE = "of-this-key-alone-9"
USED_ALREADY = "This command was used already"


@pytest.fixture(scope="module")
def forge(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A ForgeLab that the lab's devices reach."""
    stack = Stack(tmp_path_factory.mktemp("forge"), host=lab.site.gateway)
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture(scope="module")
def machine(lab: Lab) -> Iterator[LabDevice]:
    """A machine that knows nothing of ForgeLab. Users: `ada` may use sudo with her password, `bob` may not, and `kim`
    is asked for the password in the other of SSH's two ways."""
    device = lab.up("e2e-join", memory="1G", cpus=2)
    for user in ("ada", "bob", "kim"):
        device.exec(["useradd", "--create-home", "--shell", "/bin/bash", user])
    device.exec(["chpasswd"], input="".join(f"{user}:{PASSWORD}\n" for user in ("ada", "bob", "kim")))
    for user in ("ada", "kim"):
        device.exec(["usermod", "-aG", "sudo", user])
    config = "Match User kim\n  PasswordAuthentication no\n  KbdInteractiveAuthentication yes\n"
    device.exec(["sh", "-c", "cat > /etc/ssh/sshd_config.d/kim.conf && systemctl restart ssh"], input=config)
    yield device
    device.remove()


def test_a_script_that_was_cut_off_does_nothing(forge: Stack, machine: LabDevice) -> None:
    command = make_token(forge)["command"].split("|")[0]
    script = run_on(machine, command).stdout
    last = script.rstrip("\n").rfind("\n") + 1
    for end in (*range(200, last, last // 8), last, last + 5):
        done = machine.exec(["sh", "-s"], input=script[:end], check=False)
        assert "ForgeLab:" not in done.stdout + done.stderr
    assert not has_user(machine)


@pytest.fixture(scope="module")
def joined(forge: Stack, machine: LabDevice) -> dict[str, Any]:
    """The token, what the machine printed, and the device that came of it."""
    machine.exec(["install", "-d", "-m", "0755", "/etc/sudoers.d"])
    token = make_token(forge)
    done = run_on(machine, token["command"])
    assert done.returncode == 0, done.stdout + done.stderr
    token |= forge.api.get(f"devices/join-tokens/{token['id']}").raise_for_status().json()
    assert token["state"] == "joined"
    device = forge.api.get(f"devices/{token['device']['id']}").raise_for_status().json()
    return {"token": token, "printed": done.stdout, "device": device}


def test_the_machine_is_a_device_under_its_own_name_and_address(joined: dict[str, Any], machine: LabDevice) -> None:
    device = joined["device"]
    assert (device["name"], device["address"], device["port"]) == ("e2e-join", machine.address, 22)
    assert (device["user"], device["status"], device["distribution"]) == ("forgelab", "reachable", "debian")
    assert "This machine is e2e-join in ForgeLab" in joined["printed"]


def test_exactly_its_own_host_keys_are_pinned_and_both_sides_show_them(
    joined: dict[str, Any], machine: LabDevice
) -> None:
    assert set(joined["device"]["fingerprints"]) == shown(machine)
    assert all(fingerprint in joined["printed"] for fingerprint in shown(machine))


def test_the_user_has_sudo_and_no_password(joined: dict[str, Any], machine: LabDevice) -> None:
    assert machine.exec(["passwd", "-S", "forgelab"]).stdout.split()[1] == "L"
    assert machine.exec(["runuser", "-u", "forgelab", "--", "sudo", "-n", "id", "-u"]).stdout.strip() == "0"
    assert machine.exec(["stat", "-c", "%a %U", "/etc/sudoers.d/forgelab"]).stdout.split() == ["440", "root"]


def test_a_command_works_once(forge: Stack, joined: dict[str, Any], machine: LabDevice) -> None:
    again = run_on(machine, joined["token"]["command"])
    assert again.returncode == 1
    assert USED_ALREADY in again.stderr

    url = joined["token"]["command"].split()[2]
    report = run_on(machine, f"curl -sS --data-binary hostname=evil {url}")
    assert report.stdout.startswith(f"refused: {USED_ALREADY}")


def test_a_command_that_is_too_old_is_refused(forge: Stack, machine: LabDevice) -> None:
    token = make_token(forge)
    code = "from forgelab.devices.models import JoinToken as T; from django.utils import timezone"
    forge.cli("shell", "-c", f"{code}; T.objects.filter(pk={token['id']}).update(expires_at=timezone.now())")
    done = run_on(machine, token["command"])
    assert done.returncode == 1
    assert "This command is too old" in done.stderr
    assert forge.api.get(f"devices/join-tokens/{token['id']}").json()["state"] == "expired"


def test_the_same_machine_does_not_join_twice(forge: Stack, joined: dict[str, Any], machine: LabDevice) -> None:
    token = make_token(forge, name="another")
    done = run_on(machine, token["command"])
    assert done.returncode == 1
    assert "is in ForgeLab already: e2e-join" in done.stderr
    failed = forge.api.get(f"devices/join-tokens/{token['id']}").json()
    assert (failed["state"], failed["device"]) == ("failed", None)
    assert "e2e-join" in failed["sentence"]


def test_a_run_works_on_the_machine_as_its_user(forge: Stack, joined: dict[str, Any]) -> None:
    assert "is reachable" in forge.cli("device", "refresh", "e2e-join").stdout
    config = {"cache_engine": "memcached", "memcached_memory_mb": 64}
    body = {"server_type": "cache-server", "name": "cache", "device_id": joined["device"]["id"], "config": config}
    answer = forge.api.post("infrastructure/provision", json=body)
    assert answer.status_code == 202, answer.text
    run = forge.wait_for_end(answer.json()["run"]["id"])
    assert run["status"] == "succeeded", run["status_detail"]

    refused = forge.api.delete(f"devices/{joined['device']['id']}")
    assert refused.status_code == 409
    assert "cache is still on it" in refused.json()["detail"]


def test_no_token_is_in_the_log(forge: Stack, joined: dict[str, Any]) -> None:
    token = joined["token"]["command"].split()[2].rpartition("/")[2]
    forge.api.request("PUT", f"{forge.url}/join/{token}")  # what Django logs with its path
    # The answer may come before its line: the log is written by another process.
    wait_for(lambda: "Method Not Allowed (PUT): /join/..." in forge.log(), 10, "the refused request is in the log")
    assert token not in forge.log()
    assert secrets.in_tree(forge.data_dir, [token]) == []


@pytest.fixture(scope="module")
def add(forge: Stack, machine: LabDevice) -> Callable[..., Any]:
    """Ask the API to add the machine: look at its host keys, accept them, post."""

    def post(name: str, user: str, **fields: Any) -> Any:
        keys = forge.api.get("devices/host-keys", params={"address": machine.address}).raise_for_status().json()
        accepted = [key["fingerprint"] for key in keys]
        assert set(accepted) == shown(machine)
        body = {"name": name, "address": machine.address, "user": user, "fingerprints": accepted, **fields}
        return forge.api.post("devices", json=body)

    return post


def test_a_password_is_used_once_and_found_nowhere(forge: Stack, machine: LabDevice, add: Callable[..., Any]) -> None:
    with ProcessArguments() as arguments:
        made = add("by-password", "ada", password=PASSWORD)
    assert made.status_code == 201, made.text
    assert (made.json()["user"], made.json()["status"]) == ("ada", "reachable")
    assert remains(machine, "ada") == (True, True)
    rules = machine.exec(["cat", "/etc/sudoers.d/forgelab-ada"]).stdout
    assert rules == "ada ALL=(ALL:ALL) NOPASSWD: ALL\n"

    machine.exec(["chpasswd"], input="ada:another-password-now\n")  # the key alone opens it from now on
    assert "is reachable" in forge.cli("device", "refresh", "by-password").stdout

    assert arguments.holds("sudo")  # it did look
    assert not arguments.holds(PASSWORD)
    assert secrets.in_tree(forge.data_dir, [PASSWORD]) == []
    assert secrets.in_text(made.text + forge.log(), [PASSWORD]) == []
    found = machine.exec(["grep", "-rlsaF", "--", PASSWORD, "/etc", "/var", "/tmp", "/root", "/home"], check=False)
    assert found.stdout == ""
    assert PASSWORD not in machine.exec(["journalctl", "--no-pager", "-o", "cat"]).stdout


def test_a_wrong_password_is_reported_beside_it(machine: LabDevice, add: Callable[..., Any]) -> None:
    refused = add("by-password-2", "kim", password="not-the-password")
    assert refused.status_code == 400
    assert list(refused.json()) == ["password"]
    assert "refused the password of kim" in refused.json()["password"][0]
    assert remains(machine, "kim") == (False, False)


def test_for_a_user_who_may_not_use_sudo_the_error_names_the_way_out(
    machine: LabDevice, add: Callable[..., Any]
) -> None:
    refused = add("by-password-2", "bob", password=PASSWORD)
    assert refused.status_code == 400
    assert "usermod -aG sudo bob" in refused.json()["user"][0]
    assert remains(machine, "bob") == (False, False)


def test_a_password_is_given_where_ssh_asks_for_it_as_a_question(
    forge: Stack, machine: LabDevice, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    done = forge.cli(
        "device", "add", "by-question", machine.address, "--user", "kim", "--accept-key",
        "--password-file", str(tmp_path / "password"),
    )  # fmt: skip
    assert "by-question is added" in done.stdout
    assert remains(machine, "kim") == (True, True)


def test_where_the_key_does_not_open_nothing_is_left_behind(machine: LabDevice, add: Callable[..., Any]) -> None:
    machine.exec(["usermod", "-aG", "sudo", "bob"])
    config = "Match User bob\n  PubkeyAuthentication no\n"
    machine.exec(["sh", "-c", "cat > /etc/ssh/sshd_config.d/bob.conf && systemctl restart ssh"], input=config)
    refused = add("by-password-2", "bob", password=PASSWORD)
    assert refused.status_code == 409, refused.text
    assert remains(machine, "bob") == (False, False)


def test_a_key_with_a_passphrase_opens_a_device(
    forge: Stack, machine: LabDevice, add: Callable[..., Any], tmp_path: Path
) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-C", "ours", "-f", str(tmp_path / "id")], check=True
    )
    public = (tmp_path / "id.pub").read_text()
    machine.exec(["sh", "-c", "cat >> /root/.ssh/authorized_keys"], input=public)
    key = (tmp_path / "id").read_text()

    refused = add("by-key", "root", private_key=key, passphrase="another")
    assert (refused.status_code, list(refused.json())) == (400, ["passphrase"])

    made = add("by-key", "root", private_key=key, passphrase=PASSPHRASE)
    assert made.status_code == 201, made.text
    assert "PRIVATE" not in made.text
    assert "is reachable" in forge.cli("device", "refresh", "by-key").stdout
    assert secrets.in_tree(forge.data_dir, [PASSPHRASE]) == []


def test_a_bare_machine_joins_with_what_it_has(forge: Stack, lab: Lab) -> None:
    """Debian 13 without sudo and curl, whose SSH server is set up in a way of its own; what is there already stays."""
    device = lab.up("e2e-bare", image="trixie", memory="1G", cpus=2)
    try:
        for command in ("apt-get -qq update", "apt-get -qq -y install wget", "apt-get -qq -y purge sudo curl"):
            device.exec(["env", "DEBIAN_FRONTEND=noninteractive", "SUDO_FORCE_REMOVE=yes", *command.split()])
        setup = r"""
            install -d /etc/sudoers.d /etc/ssh/keys
            echo 'pi ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/forgelab
            printf '%s' 'ssh-rsa AAAA a line without an end' >/etc/ssh/keys/forgelab
            printf 'AllowUsers root\nPort 2222\nAuthorizedKeysFile /etc/ssh/keys/%%u\n' >/etc/ssh/sshd_config.d/own.conf
            systemctl restart ssh"""
        device.exec(["sh", "-c", setup])
        token = make_token(forge)
        command = f"wget -qO- {token['command'].split()[2]} | sh"
        refused = device.exec(["sh", "-c", command], check=False)
        assert refused.returncode == 1
        assert "Add forgelab to that line in /etc/ssh/sshd_config" in refused.stderr
        assert not has_user(device)  # and the command can be used still

        device.exec(["sh", "-c", "sed -i 's/root/root forge*/' /etc/ssh/sshd_config.d/own.conf; systemctl restart ssh"])
        device.exec(["chmod", "644", "/etc/ssh/keys/forgelab"])
        done = device.exec(["sh", "-c", command], check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Installing sudo" in done.stdout
        rules = device.exec(["cat", "/etc/sudoers.d/forgelab"]).stdout.splitlines()
        assert rules == ["pi ALL=(ALL) NOPASSWD: ALL", "forgelab ALL=(ALL:ALL) NOPASSWD: ALL"]
        keys = device.exec(["cat", "/etc/ssh/keys/forgelab"]).stdout.splitlines()
        assert (keys[0], len(keys)) == ("ssh-rsa AAAA a line without an end", 2)
        joined = forge.api.get(f"devices/join-tokens/{token['id']}").json()["device"]
        assert forge.api.get(f"devices/{joined['id']}").json()["port"] == 2222
    finally:
        device.remove()


@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no browser here: {CHROMIUM} is missing")
def test_the_page_waits_for_the_machine_and_goes_to_its_page(
    forge: Stack, joined: dict[str, Any], machine: LabDevice
) -> None:
    """Also: a machine that was forgotten joins again, and its script finds everything in place."""
    forge.cli("server", "decommission", "cache", "--confirm", "cache", "--forget")
    for device in forge.api.get("devices").raise_for_status().json()["results"]:
        forge.api.delete(f"devices/{device['id']}").raise_for_status()
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{forge.url}/add-device/")
        page.get_by_label("Username").fill("tester")
        page.get_by_label("Password").fill("a-long-test-password-1")
        page.get_by_role("button", name="Log in").click()
        page.get_by_label("Name").fill("attic")
        page.get_by_role("button", name="Create command").click()
        command = page.locator("#how pre[data-value]").inner_text()
        expect(page.get_by_text("Waiting for the machine")).to_be_visible()

        done = run_on(machine, command)
        assert done.returncode == 0, done.stderr
        assert "Put ForgeLab's key" not in done.stdout
        page.wait_for_url(f"{forge.url}/devices/attic/", timeout=60_000)
        for fingerprint in shown(machine):
            expect(page.get_by_text(fingerprint)).to_be_visible()
