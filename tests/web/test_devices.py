"""Adding a device, its page, and what can be done with it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from forgelab.devices import hostkeys, ssh
from forgelab.devices.models import Device, Identity
from tests.web import homelab
from tests.web.pages import field, text

FORM = {"name": "attic", "address": "192.168.1.7", "port": "22", "user": "root", "private_key": ""}
SHOWN = hostkeys.parse(homelab.HOST_KEY)
OTHER = hostkeys.parse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB+NyLOy3WlLqOEWf3VIhZjmIFrGdYoYLMxYgQ/VLr0T")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What answers at the address: the keys it shows, and what adding it comes to."""
    world = SimpleNamespace(keys=SHOWN, error=None, added=[])

    def scan(address: str, port: int) -> list[hostkeys.HostKey]:
        if not world.keys:
            raise hostkeys.HostKeyError(f"No SSH server answers at {address} port {port}.")
        return world.keys

    def add(*, host_keys: list[hostkeys.HostKey], identity: Identity, **fields: object) -> Device:
        if world.error:
            raise world.error
        world.added.append((host_keys, identity))
        return Device.objects.create(host_keys="\n".join(map(str, host_keys)), identity=identity, **fields)

    monkeypatch.setattr("forgelab.web.views.devices.hostkeys.scan", scan)
    monkeypatch.setattr("forgelab.web.views.devices.services.device_add", add)
    return world


def test_the_form_shows_forgelabs_own_public_key_to_copy(web: Client) -> None:
    page = text(web.get("/add-device/"))

    assert Identity.objects.get(name="forgelab").public_key in page


def test_nothing_is_added_before_the_fingerprints_are_accepted(web: Client, world: SimpleNamespace) -> None:
    page = web.post("/add-device/", FORM)

    assert homelab.FINGERPRINT in text(page)
    assert "Is this your machine?" in text(page)
    assert not Device.objects.exists()


def test_accepting_adds_the_device_with_exactly_the_ticked_keys(web: Client, world: SimpleNamespace) -> None:
    world.keys = SHOWN + OTHER

    response = web.post("/add-device/", FORM | {"accepted": homelab.FINGERPRINT})

    assert response.headers["Location"] == "/devices/attic/"
    assert world.added[0][0] == SHOWN


def test_other_keys_than_the_accepted_ones_are_asked_about_again(web: Client, world: SimpleNamespace) -> None:
    world.keys = OTHER

    page = web.post("/add-device/", FORM | {"accepted": homelab.FINGERPRINT})

    assert OTHER[0].fingerprint in text(page)
    assert not Device.objects.exists()


def test_where_nothing_answers_it_says_so_and_keeps_the_form(web: Client, world: SimpleNamespace) -> None:
    world.keys = []

    page = web.post("/add-device/", FORM)

    assert page.status_code == 422
    assert "No SSH server answers at 192.168.1.7 port 22" in text(page)
    assert 'value="attic"' in page.content.decode()


def test_a_refused_login_tells_the_way_out(web: Client, world: SimpleNamespace) -> None:
    world.error = ssh.DeviceUnreachable("attic refused the key forgelab. Add this line to ~root/.ssh/authorized_keys")

    page = web.post("/add-device/", FORM | {"accepted": homelab.FINGERPRINT})

    assert "Add this line to ~root/.ssh/authorized_keys" in text(page)


@pytest.mark.parametrize("answer", [RuntimeError("sh: not found"), ValueError("it did not tell its memory")])
def test_a_device_that_answers_nonsense_is_told_beside_its_address(
    web: Client, monkeypatch: pytest.MonkeyPatch, answer: Exception
) -> None:
    def run_script(*args: object, **options: object) -> str:
        raise answer

    monkeypatch.setattr("forgelab.web.views.devices.hostkeys.scan", lambda address, port: SHOWN)
    monkeypatch.setattr("forgelab.devices.services.ssh.run_script", run_script)

    page = web.post("/add-device/", FORM | {"accepted": homelab.FINGERPRINT})

    assert page.status_code == 422
    assert str(answer) in field(page, "address")
    assert not Device.objects.exists()


def test_a_user_without_sudo_is_told_beside_the_user(web: Client, world: SimpleNamespace) -> None:
    world.error = ValidationError({"user": "ada cannot become root on attic without a password."})

    page = web.post("/add-device/", FORM | {"accepted": homelab.FINGERPRINT})

    assert "cannot become root" in field(page, "user")


@pytest.mark.parametrize(
    ("name", "value"), [("name", "Attic!"), ("address", "a b"), ("port", "0"), ("port", "99999"), ("user", "ro ot")]
)
def test_a_wrong_field_is_told_beside_it(web: Client, world: SimpleNamespace, name: str, value: str) -> None:
    page = web.post("/add-device/", FORM | {name: value})

    assert page.status_code == 422
    assert 'class="wrong"' in page.content.decode()
    assert field(page, name)


def test_a_key_that_is_no_private_key_is_told_beside_it(web: Client, world: SimpleNamespace) -> None:
    page = web.post("/add-device/", FORM | {"private_key": "ssh-ed25519 AAAA", "accepted": homelab.FINGERPRINT})

    assert "This is not a private SSH key" in field(page, "private_key")


def test_a_key_of_ones_own_is_stored_once(web: Client, world: SimpleNamespace, private_key: str) -> None:
    form = FORM | {"private_key": private_key.replace("\n", "\r\n"), "accepted": homelab.FINGERPRINT}

    web.post("/add-device/", form)
    web.post("/add-device/", form | {"name": "cellar"})

    assert [identity.name for _, identity in world.added] == ["attic-key", "attic-key"]


def test_a_devices_page_shows_facts_and_pinned_fingerprints(web: Client, best: Device) -> None:
    homelab.server(best)

    page = text(web.get("/devices/homelab-server-02/"))

    for words in (
        "Reachable",
        "12GB of 16GB free",
        "Debian 12 (bookworm), x86_64",
        homelab.FINGERPRINT,
        "laravel-production",
    ):
        assert words in page


def test_looking_again_stores_what_the_device_says(web: Client, best: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forgelab.web.views.devices.services.device_refresh", lambda device: device)

    page = web.post("/devices/homelab-server-02/refresh/", follow=True)

    assert "homelab-server-02 answered." in text(page)


def test_other_host_keys_are_pinned_only_when_ticked(web: Client, best: Device, world: SimpleNamespace) -> None:
    world.keys = OTHER
    address = "/devices/homelab-server-02/host-keys/"

    page = text(web.get(address))
    assert homelab.FINGERPRINT in page
    assert OTHER[0].fingerprint in page

    web.post(address)
    best.refresh_from_db()
    assert best.host_keys == homelab.HOST_KEY

    web.post(address, {"accepted": OTHER[0].fingerprint})
    best.refresh_from_db()
    assert best.host_keys == str(OTHER[0])


def test_a_device_with_a_server_is_not_removed(web: Client, best: Device) -> None:
    homelab.server(best)

    page = web.post("/devices/homelab-server-02/remove/", follow=True)

    assert "cannot be removed" in text(page)
    assert Device.objects.exists()


def test_an_empty_device_is_removed(web: Client, best: Device) -> None:
    web.post("/devices/homelab-server-02/remove/")

    assert not Device.objects.exists()
