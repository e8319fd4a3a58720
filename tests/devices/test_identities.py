"""Keys that ForgeLab logs in with, made and opened by the real ssh-keygen."""

from __future__ import annotations

import subprocess
import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from forgelab.accounts.actors import SYSTEM
from forgelab.devices import identities
from forgelab.devices.models import Identity
from tests.support import secrets

PASSPHRASE = "it's a {{ secret }} $HOME"


@pytest.fixture(params=["ed25519", "rsa -m PEM", "ecdsa -m PKCS8"])
def protected_key(request, tmp_path):
    """A key with a passphrase: OpenSSH's format, and the two of PEM."""
    kind, *form = request.param.split()
    path = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *form, "-N", PASSPHRASE, "-f", str(path)], check=True)
    return path


def test_a_key_with_a_passphrase_is_opened_once_and_stored_without(db, protected_key):
    made = identities.identity_add(
        name="mine", private_key=protected_key.read_text(), passphrase=PASSPHRASE, actor=SYSTEM
    )
    assert made.public_key.split()[:2] == protected_key.with_suffix(".pub").read_text().split()[:2]
    assert (
        identities.identity_add(name="again", private_key=made.private_key, actor=SYSTEM).public_key == made.public_key
    )
    assert secrets.in_database([PASSPHRASE]) == []


@pytest.mark.parametrize(("given", "said"), [("", "protected by a passphrase"), ("wrong", "does not open the key")])
def test_a_missing_or_wrong_passphrase_is_reported_by_its_field(db, protected_key, given, said):
    with pytest.raises(ValidationError) as refused:
        identities.identity_add(name="mine", private_key=protected_key.read_text(), passphrase=given, actor=SYSTEM)
    assert list(refused.value.message_dict) == ["passphrase"]
    assert said in refused.value.message_dict["passphrase"][0]
    assert not Identity.objects.exists()


def test_a_passphrase_is_in_no_arguments_or_environment(db, protected_key, monkeypatch):
    called = []
    real = subprocess.run

    def run(command, **more):
        called.append((command, more.get("env")))
        return real(command, **more)

    monkeypatch.setattr(identities.subprocess, "run", run)
    identities.identity_add(name="mine", private_key=protected_key.read_text(), passphrase=PASSPHRASE, actor=SYSTEM)
    assert any("-p" in command for command, _ in called)
    assert PASSPHRASE not in str(called)


def test_where_the_passphrase_can_not_be_passed_on_it_is_not_called_wrong(db, protected_key, monkeypatch):
    monkeypatch.setattr(identities, "ASKPASS", "#!/nowhere\n")
    with pytest.raises(ValidationError, match="could not be given the passphrase here"):
        identities.identity_add(name="mine", private_key=protected_key.read_text(), passphrase=PASSPHRASE, actor=SYSTEM)


def test_a_stored_key_is_found_again_whatever_its_passphrase_and_comment(db, protected_key):
    made = identities.identity_add(
        name="mine", private_key=protected_key.read_text(), passphrase=PASSPHRASE, actor=SYSTEM
    )
    assert identities.identity_find(protected_key.read_text(), PASSPHRASE) == made
    assert identities.identity_find(made.private_key) == made
    made.delete()
    assert identities.identity_find(protected_key.read_text(), PASSPHRASE) is None


def test_a_key_pasted_on_windows_is_read(db, private_key):
    made = identities.identity_add(name="mine", private_key=private_key.replace("\n", "\r\n"), actor=SYSTEM)
    assert made.private_key == private_key


def test_the_public_half_is_derived(db, private_key):
    made = identities.identity_add(name="mine", private_key=f"\n{private_key}\n\n".lstrip(), actor=SYSTEM)
    assert made.public_key.startswith("ssh-ed25519 AAAA")


@pytest.mark.parametrize("text", ["", "ssh-ed25519 AAAA me", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"])
def test_what_is_no_private_key_is_refused(db, text):
    with pytest.raises(ValidationError) as refused:
        identities.identity_add(name="mine", private_key=text, actor=SYSTEM)
    assert list(refused.value.message_dict) == ["private_key"]
    assert not Identity.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_need_the_default_key_first_get_the_same():
    found: list[object] = []

    def ask():
        try:
            found.append(identities.identity_default().pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4
    assert len(set(found)) == 1
