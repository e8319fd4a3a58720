from __future__ import annotations

import subprocess

import pytest

from forgelab.devices import access, hostkeys
from forgelab.devices.hostkeys import HostKey, HostKeyError, parse, scan
from forgelab.devices.models import Device


@pytest.fixture(scope="module")
def public_keys(tmp_path_factory):
    """A public key of each kind, as ssh-keygen writes it."""
    folder, keys = tmp_path_factory.mktemp("keys"), {}
    for kind, bits in (("ed25519", "256"), ("ecdsa", "256"), ("rsa", "2048")):
        path = folder / kind
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-f", str(path)], check=True)
        keys[kind] = path.with_suffix(".pub")
    return keys


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_fingerprint_is_what_ssh_keygen_prints(public_keys, kind):
    printed = subprocess.run(["ssh-keygen", "-l", "-f", str(public_keys[kind])], capture_output=True, text=True)
    assert parse(public_keys[kind].read_text())[0].fingerprint == printed.stdout.split()[1]


def test_keys_are_read_best_kind_first_and_once(public_keys):
    lines = [f"[::1]:2222 {public_keys[kind].read_text()}" for kind in ("rsa", "ecdsa", "ed25519", "rsa")]
    keys = parse("# comment\n" + "".join(lines))
    assert [key.kind for key in keys] == ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]
    assert parse("\n".join(map(str, keys))) == keys


@pytest.mark.parametrize(
    "line", ["ssh-rsa", "ssh-ed25519 not-base64!", "ssh-ed25519 AAAA", "", "ssh-dss AAAAB3NzaC1kc3M="]
)
def test_what_is_no_key_is_passed_over(line):
    assert parse(line) == []


def test_a_key_that_claims_another_kind_is_passed_over(public_keys):
    assert parse(public_keys["rsa"].read_text().replace("ssh-rsa", "ssh-ed25519")) == []


@pytest.mark.parametrize(
    ("address", "port"),
    [("192.168.1.9", 22), ("192.168.1.9", 2222), ("::1", 22), ("fe80::1%eth0", 2222), ("nas.local", 22)],
)
def test_pinned_keys_are_found_by_ssh_under_the_devices_name_wherever_it_is(public_keys, tmp_path, address, port):
    keys = parse("".join(path.read_text() for path in public_keys.values()))
    device = Device(name="attic", address=address, port=port, host_keys="\n".join(map(str, keys)) + "\n\n")
    path = tmp_path / "known_hosts"
    path.write_text(access.host_of(device).known_hosts)
    found = subprocess.run(["ssh-keygen", "-F", "attic", "-f", str(path)], capture_output=True, text=True)
    assert parse(found.stdout) == keys


def test_where_nothing_answers_it_says_what_to_look_at():
    with pytest.raises(HostKeyError, match=r"No SSH server answers at 127\.0\.0\.1 port 1\..*ssh -p 1 127\.0\.0\.1"):
        scan("127.0.0.1", 1, timeout=1)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError(), "install the package openssh-client"),
        (subprocess.TimeoutExpired("x", 1), "No SSH server answers"),
    ],
)
def test_a_scan_that_can_not_be_made_is_explained(monkeypatch, error, message):
    def fail(*args, **more):
        raise error

    monkeypatch.setattr(hostkeys.subprocess, "run", fail)
    with pytest.raises(HostKeyError, match=message):
        scan("192.0.2.1", 22)


def test_a_key_is_shown_as_it_is_pinned():
    assert str(HostKey("ssh-ed25519", "AAAA")) == "ssh-ed25519 AAAA"


@pytest.mark.parametrize("nonsense", ["ssh-ed25519 ÄÖÜ", "ssh-ed25519 \x00", "ssh-ed25519 AAAA=B", "ssh-rsa ssh-rsa"])
def test_nonsense_from_a_device_is_no_key(nonsense):
    assert hostkeys.parse(nonsense) == []
