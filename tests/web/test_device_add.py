"""Adding a device that is reached by SSH: where it is, then its fingerprints and how to get in."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from forgelab.devices import ssh
from forgelab.devices.models import Device, Identity
from tests import factories
from tests.web.pages import field, text
from tests.web.world import OTHER, SHOWN

ADDRESS = "/add-device/key/"
BY_PASSWORD = "/add-device/password/"
FORM = {"name": "attic", "address": "192.168.1.7", "port": "22", "user": "root", "private_key": ""}


def test_the_form_shows_forgelabs_own_public_key_to_copy(web: Client) -> None:
    page = text(web.get(ADDRESS))

    assert Identity.objects.get(name="forgelab").public_key in page


def test_nothing_is_added_before_the_fingerprints_are_accepted(web: Client, world: SimpleNamespace) -> None:
    page = web.post(ADDRESS, FORM)

    assert factories.FINGERPRINT in text(page)
    assert "Is this your machine?" in text(page)
    assert not Device.objects.exists()


def test_accepting_adds_the_device_with_exactly_the_ticked_keys(web: Client, world: SimpleNamespace) -> None:
    world.keys = SHOWN + OTHER

    response = web.post(ADDRESS, FORM | {"accepted": factories.FINGERPRINT})

    assert response.headers["Location"] == "/devices/attic/"
    assert world.added[0][0] == SHOWN


def test_other_keys_than_the_accepted_ones_are_asked_about_again(web: Client, world: SimpleNamespace) -> None:
    world.keys = OTHER

    page = web.post(ADDRESS, FORM | {"accepted": factories.FINGERPRINT})

    assert OTHER[0].fingerprint in text(page)
    assert not Device.objects.exists()


def test_where_nothing_answers_it_says_so_and_keeps_the_form(web: Client, world: SimpleNamespace) -> None:
    world.keys = []

    page = web.post(ADDRESS, FORM)

    assert page.status_code == 422
    assert "No SSH server answers at 192.168.1.7 port 22" in text(page)
    assert 'value="attic"' in page.content.decode()


def test_a_refused_login_shows_the_way_out(web: Client, world: SimpleNamespace) -> None:
    world.error = ssh.DeviceUnreachable("attic refused the key forgelab. Add this line to ~root/.ssh/authorized_keys")

    page = web.post(ADDRESS, FORM | {"accepted": factories.FINGERPRINT})

    assert "Add this line to ~root/.ssh/authorized_keys" in text(page)


@pytest.mark.parametrize("answer", [RuntimeError("sh: not found"), ValueError("it did not tell its memory")])
def test_a_device_that_answers_nonsense_is_reported_beside_its_address(
    web: Client, monkeypatch: pytest.MonkeyPatch, answer: Exception
) -> None:
    def run_script(*args: object, **options: object) -> str:
        raise answer

    monkeypatch.setattr("forgelab.devices.hostkeys.scan", lambda address, port, jump=None: SHOWN)
    monkeypatch.setattr("forgelab.devices.services.ssh.run_script", run_script)

    page = web.post(ADDRESS, FORM | {"accepted": factories.FINGERPRINT})

    assert page.status_code == 422
    assert str(answer) in field(page, "address")
    assert not Device.objects.exists()


def test_a_user_without_sudo_is_reported_beside_the_user(web: Client, world: SimpleNamespace) -> None:
    world.error = ValidationError({"user": "ada cannot become root on attic without a password."})

    page = web.post(ADDRESS, FORM | {"accepted": factories.FINGERPRINT})

    assert "cannot become root" in field(page, "user")


@pytest.mark.parametrize(
    ("name", "value"), [("name", "Attic!"), ("address", "a b"), ("port", "0"), ("port", "99999"), ("user", "ro ot")]
)
def test_a_wrong_field_is_reported_beside_it(web: Client, world: SimpleNamespace, name: str, value: str) -> None:
    page = web.post(ADDRESS, FORM | {name: value})

    assert page.status_code == 422
    assert 'class="wrong"' in page.content.decode()
    assert field(page, name)


def test_a_key_that_is_no_private_key_is_reported_beside_it(web: Client, world: SimpleNamespace) -> None:
    page = web.post(ADDRESS, FORM | {"private_key": "ssh-ed25519 AAAA", "accepted": factories.FINGERPRINT})

    assert "This is not a private SSH key" in field(page, "private_key")


def test_a_key_of_ones_own_is_stored_once(web: Client, world: SimpleNamespace, private_key: str) -> None:
    form = FORM | {"private_key": private_key.replace("\n", "\r\n"), "accepted": factories.FINGERPRINT}

    web.post(ADDRESS, form)
    web.post(ADDRESS, form | {"name": "cellar"})

    assert [identity.name for _, identity in world.added] == ["attic-key", "attic-key"]


def test_a_key_that_does_not_open_the_device_is_not_kept(web: Client, world: SimpleNamespace, private_key: str) -> None:
    world.error = ssh.DeviceUnreachable("attic refused the key attic-key.")

    page = web.post(ADDRESS, FORM | {"private_key": private_key, "accepted": factories.FINGERPRINT})

    assert "refused the key" in text(page)
    assert private_key.splitlines()[1] in page.content.decode()  # it need not be pasted again
    assert not Identity.objects.filter(name="attic-key").exists()


def test_a_passphrase_opens_the_key_and_is_neither_stored_nor_shown_again(
    web: Client, world: SimpleNamespace, tmp_path: Path
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "open sesame", "-f", str(tmp_path / "id")], check=True)
    form = FORM | {"private_key": (tmp_path / "id").read_text(), "accepted": factories.FINGERPRINT}

    assert "protected by a passphrase" in field(web.post(ADDRESS, form), "passphrase")
    wrong = web.post(ADDRESS, form | {"passphrase": "shut sesame"})
    assert "does not open the key" in field(wrong, "passphrase")
    assert "shut sesame" not in wrong.content.decode()
    assert web.post(ADDRESS, form | {"passphrase": "open sesame"}).headers["Location"] == "/devices/attic/"


def test_a_device_is_reached_through_another(web: Client, world: SimpleNamespace, best: Device) -> None:
    world.keys = OTHER

    web.post(ADDRESS, FORM | {"jump": "homelab-server-02", "accepted": OTHER[0].fingerprint})

    assert world.scanned[-1] == best
    assert Device.objects.get(name="attic").jump == best


def test_a_name_that_is_taken_is_reported_before_anything_else(
    web: Client, world: SimpleNamespace, best: Device
) -> None:
    page = web.post(ADDRESS, FORM | {"name": "homelab-server-02"})

    assert "There is a device homelab-server-02 already" in field(page, "name")
    assert world.scanned == []


def test_the_password_is_asked_for_when_the_keys_are_shown_and_not_before(web: Client, world: SimpleNamespace) -> None:
    assert 'type="password"' not in web.get(BY_PASSWORD).content.decode()

    page = web.post(BY_PASSWORD, FORM)

    assert factories.FINGERPRINT in text(page)
    assert 'type="password"' in page.content.decode()


def test_the_password_is_used_with_the_accepted_keys(web: Client, world: SimpleNamespace) -> None:
    form = FORM | {"user": "ada", "password": " with spaces ", "accepted": factories.FINGERPRINT}

    assert web.post(BY_PASSWORD, form).headers["Location"] == "/devices/attic/"
    assert world.passwords == [" with spaces "]
    assert world.added[0][0] == SHOWN


def test_a_wrong_password_is_reported_beside_it_and_not_shown_again(web: Client, world: SimpleNamespace) -> None:
    world.error = ValidationError({"password": "192.168.1.7 refused the password of ada."})

    page = web.post(BY_PASSWORD, FORM | {"user": "ada", "password": "wr0ng-one", "accepted": factories.FINGERPRINT})

    assert page.status_code == 422
    assert "refused the password of ada" in field(page, "password")
    assert "wr0ng-one" not in page.content.decode()
    assert "checked" in page.content.decode()  # the accepted keys stay accepted


def test_no_password_reaches_a_machine_whose_keys_were_not_accepted(web: Client, world: SimpleNamespace) -> None:
    page = web.post(BY_PASSWORD, FORM | {"password": "s3cret-one"})

    assert world.passwords == []
    assert "s3cret-one" not in page.content.decode()


def test_the_machine_that_forgelab_runs_on_is_added_without_ssh(
    web: Client, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    def run_script(device: Device, script: str, *, root: bool = False, **_: object) -> str:
        return "0\n" if root else subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True).stdout

    monkeypatch.setattr(ssh, "run_script", run_script)
    web.post("/add-device/this-machine/", {"name": "here", "address": "192.168.1.5"})

    device = Device.objects.get()
    assert (device.name, device.connection, device.identity, device.host_keys) == ("here", "local", None, "")
