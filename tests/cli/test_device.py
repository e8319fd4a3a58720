from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from forgelab.devices import hostkeys, ssh
from forgelab.devices.models import Device, Identity
from forgelab.servers.models import Server
from tests import factories
from tests.cli.commands import Command

OTHER = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7"


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that answers as this machine would, at any address."""
    monkeypatch.setattr(
        hostkeys, "scan", lambda address, port, jump=None: hostkeys.parse(f"{factories.HOST_KEY}\n{OTHER}")
    )

    def run_script(device: Device, script: str, *, root: bool = False, **_: object) -> str:
        return "0\n" if root else subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True).stdout

    monkeypatch.setattr(ssh, "run_script", run_script)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.mark.usefixtures("reachable")
def test_without_a_terminal_no_host_key_is_accepted(forgelab: Command) -> None:
    done = forgelab("device", "add", "web1", "192.0.2.10")
    assert done.status == 1
    assert factories.FINGERPRINT in done.err and "--accept-key" in done.err
    assert not Device.objects.exists()


@pytest.mark.usefixtures("reachable")
def test_the_key_with_the_given_fingerprint_is_pinned_and_no_other(forgelab: Command) -> None:
    done = forgelab("device", "add", "web1", "192.0.2.10", "--fingerprint", factories.FINGERPRINT)
    assert done.status == 0, done.err
    assert Device.objects.get().host_keys == factories.HOST_KEY


@pytest.mark.usefixtures("reachable")
def test_another_fingerprint_than_the_devices_is_refused(forgelab: Command) -> None:
    done = forgelab("device", "add", "web1", "192.0.2.10", "--fingerprint", "SHA256:" + "A" * 43)
    assert done.status == 1 and "may be another machine" in done.err
    assert not Device.objects.exists()


@pytest.mark.usefixtures("reachable")
def test_a_key_file_is_stored_once_for_all_its_devices(forgelab: Command, key: Path) -> None:
    for name in ("web1", "web2"):
        assert forgelab("device", "add", name, "192.0.2.10", "--key", str(key), "--accept-key").status == 0
    assert {device.identity.name for device in Device.objects.all()} == {"web1-key"}


@pytest.mark.usefixtures("reachable")
def test_a_device_that_cannot_be_logged_in_to_leaves_no_key_behind(
    forgelab: Command, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> str:
        raise ssh.DeviceUnreachable("web1 refused the key web1. Add this line to ~root/.ssh/authorized_keys there: ...")

    monkeypatch.setattr(ssh, "run_script", refused)
    done = forgelab("device", "add", "web1", "192.0.2.10", "--key", str(key), "--accept-key")
    assert (done.status, "authorized_keys" in done.err) == (1, True)
    assert not Device.objects.exists() and not Identity.objects.exists()


@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize(("name", "field"), [("Web 1", "name"), ("{{ 7*7 }}", "name")])
def test_a_wrong_name_is_reported_by_its_field(forgelab: Command, name: str, field: str) -> None:
    done = forgelab("device", "add", name, "192.0.2.10", "--accept-key")
    assert done.status == 1 and f"{field}: " in done.err and "lowercase letters" in done.err


def test_a_key_file_that_is_not_there_is_reported(forgelab: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostkeys, "scan", lambda address, port, jump=None: hostkeys.parse(factories.HOST_KEY))
    done = forgelab("device", "add", "web1", "192.0.2.10", "--key", "/nowhere/id", "--accept-key")
    assert (done.status, done.err.splitlines()[-1]) == (1, "forgelab: /nowhere/id: No such file or directory.")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("web1", "192.0.2.10", "--port", "99999"), "port: "),
        (("web1", "[fd00::5]"), "address: "),
        (("web1", "192.0.2.10", "--user", "Root"), "user: "),
        (("web1", "192.0.2.10", "--via", "nowhere"), 'There is no device "nowhere"'),
    ],
)
def test_wrong_input_is_reported_before_anything_is_asked(
    forgelab: Command, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.setattr(hostkeys, "scan", lambda *_, **__: pytest.fail("asked"))
    done = forgelab("device", "add", *options, "--accept-key")
    assert done.status == 1 and said in done.err, done.err


@pytest.mark.usefixtures("reachable")
def test_a_device_behind_another_is_added_listed_and_shown_with_its_way(forgelab: Command) -> None:
    factories.device("gate", address="192.0.2.1")
    done = forgelab("device", "add", "attic", "fe80::1%eth0", "--via", "gate", "--accept-key")
    assert done.status == 0, done.err
    assert Device.objects.get(name="attic").jump.name == "gate"
    assert "fe80::1%eth0 via gate" in forgelab("device", "list").out
    assert "Reached through: gate" in forgelab("device", "show", "attic").out
    assert re.search(r"Jump host for: +attic", forgelab("device", "show", "gate").out)
    removed = forgelab("device", "remove", "gate")
    assert removed.status == 1 and "attic is reached through it" in removed.err


def test_this_machine_is_added_without_keys(forgelab: Command) -> None:
    done = forgelab("device", "add", "here", "localhost", "--local")
    assert done.status == 0, done.err
    assert (Device.objects.get().connection, Identity.objects.count()) == ("local", 0)
    assert "localhost (this machine)" in forgelab("device", "list").out
    shown = forgelab("device", "show", "here").out
    assert "@localhost, this machine" in shown and "Logs in with" not in shown
    trusted = forgelab("device", "trust", "here", "--accept-key")
    assert trusted.status == 1 and "is not reached by SSH" in trusted.err
    again = forgelab("device", "add", "again", "localhost", "--local")
    assert again.status == 1 and "here is this machine already" in again.err


def test_options_of_ssh_mean_nothing_for_this_machine(forgelab: Command, key: Path) -> None:
    done = forgelab("device", "add", "here", "localhost", "--local", "--key", str(key), "--via", "gate")
    assert done.status == 1 and "--via, --key: with --local nobody logs in by SSH" in done.err


@pytest.fixture
def protected_key(tmp_path: Path) -> Path:
    path = tmp_path / "protected"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(path)], check=True)
    return path


@pytest.mark.usefixtures("reachable")
def test_the_passphrase_of_a_key_comes_from_a_file_where_nobody_can_type(
    forgelab: Command, protected_key: Path, tmp_path: Path
) -> None:
    add = ("device", "add", "web1", "192.0.2.10", "--accept-key", "--key", str(protected_key))
    done = forgelab(*add)
    assert done.status == 1 and "--passphrase-file FILE" in done.err
    (tmp_path / "passphrase").write_text("wrong\n")
    done = forgelab(*add, "--passphrase-file", str(tmp_path / "passphrase"))
    assert done.status == 1 and "passphrase: This passphrase does not open the key." in done.err
    assert not Device.objects.exists() and not Identity.objects.exists()
    (tmp_path / "passphrase").write_text("open sesame\n")
    assert forgelab(*add, "--passphrase-file", str(tmp_path / "passphrase")).status == 0
    assert Device.objects.get().identity.public_key.split()[1] in protected_key.with_suffix(".pub").read_text()


@pytest.mark.usefixtures("reachable")
def test_the_passphrase_of_a_key_is_asked_on_the_terminal(
    forgelab: Command, protected_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "open sesame")
    for name in ("web1", "web2"):
        done = forgelab("device", "add", name, "192.0.2.10", "--accept-key", "--key", str(protected_key))
        assert done.status == 0, done.err
    assert asked == [f"Passphrase of {protected_key} (it is not stored): "] * 2
    assert Identity.objects.count() == 1


def test_devices_are_listed_and_shown_by_name_id_and_prefix(forgelab: Command) -> None:
    device = factories.device("web1")
    assert "web1" in forgelab("device", "list").out
    for named in ("web1", str(device.pk), str(device.pk)[:6]):
        assert factories.FINGERPRINT in forgelab("device", "show", named).out


def test_a_misspelt_device_gets_a_suggestion(forgelab: Command) -> None:
    factories.device("homelab-server-01")
    done = forgelab("device", "show", "homelab-server-1")
    assert done.status == 1 and 'Did you mean "homelab-server-01"?' in done.err


def test_a_device_with_a_server_is_not_removed(forgelab: Command) -> None:
    Server.objects.create(name="shop", server_type=factories.SMALL, device=factories.device("web1"), secrets={})
    done = forgelab("device", "remove", "web1")
    assert done.status == 1 and "shop is still on it" in done.err
    factories.device("web2", address="192.0.2.11")
    assert forgelab("device", "remove", "web2").status == 0


@pytest.mark.usefixtures("reachable")
def test_a_new_host_key_is_trusted_on_purpose_only(forgelab: Command) -> None:
    device = factories.device("web1", host_keys=OTHER)
    assert forgelab("device", "trust", "web1").status == 1
    assert forgelab("device", "trust", "web1", "--fingerprint", factories.FINGERPRINT).status == 0
    device.refresh_from_db()
    assert device.host_keys == factories.HOST_KEY
