"""What becomes of a report: a device, or a reason why not. SSH is stood in for; tests/e2e joins real machines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from forgelab.accounts.actors import SYSTEM, Actor
from forgelab.accounts.models import User
from forgelab.devices import hostkeys, join_tokens, joining, ssh
from forgelab.devices.models import Device, Identity, JoinToken
from tests.factories import HOST_KEY, OTHER_HOST_KEY

REPORT = f"""hostname=attic
port=22
port=2222
host_key={HOST_KEY}
address=192.168.1.7
address=10.9.0.7
mac=52:54:00:12:34:56
"""


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_superuser("ada")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, identity: Identity) -> SimpleNamespace:
    """Which keys are shown where (address and port), and what logging in comes to."""
    world = SimpleNamespace(shown={("192.168.1.7", 22): HOST_KEY}, error=None, asked=set())

    def scan(address: str, port: int, timeout: int) -> list[hostkeys.HostKey]:
        world.asked.add((address, port))
        if (address, port) not in world.shown:
            raise hostkeys.HostKeyError("nothing answers")
        return hostkeys.parse(world.shown[address, port])

    def add(*, actor: Actor, action: str, host_keys: list[hostkeys.HostKey], **fields: object) -> Device:
        if world.error:
            raise world.error
        return Device.objects.create(host_keys="\n".join(map(str, host_keys)), identity=identity, **fields)

    monkeypatch.setattr(joining.hostkeys, "scan", scan)
    monkeypatch.setattr(joining.services, "device_add", add)
    return world


@pytest.fixture
def join(user: User, world: SimpleNamespace) -> Callable[..., Device]:
    def join(report: str = REPORT, came_from: str = "192.168.1.7", name: str = "") -> Device:
        _, text = join_tokens.token_create(user=user, name=name, actor=SYSTEM)
        return joining.join(token_text=text, report_text=report, came_from=came_from)

    return join


def outcome() -> join_tokens.Outcome:
    return join_tokens.outcome(JoinToken.objects.select_related("device").latest("pk"))


def test_the_machine_becomes_a_device_with_its_keys_and_its_way_of_being_woken(join: Callable[..., Device]) -> None:
    device = join()
    device.refresh_from_db()
    assert (device.name, device.address, device.port, device.user) == ("attic", "192.168.1.7", 22, "forgelab")
    assert (device.host_keys, device.mac_address) == (HOST_KEY, "52:54:00:12:34:56")
    assert (outcome().state, outcome().device) == ("joined", device)


def test_only_the_hash_of_a_token_is_stored(user: User) -> None:
    token, text = join_tokens.token_create(user=user, actor=SYSTEM)
    stored = JoinToken.objects.values().get()
    assert token.digest == join_tokens.digest(text)
    assert all(text not in str(value) for value in stored.values())


def test_the_address_that_the_request_came_from_comes_first(
    join: Callable[..., Device], world: SimpleNamespace
) -> None:
    world.shown = {("10.9.0.7", 22): HOST_KEY, ("172.16.0.3", 22): HOST_KEY}
    assert join(came_from="172.16.0.3").address == "172.16.0.3"


def test_behind_a_proxy_one_of_its_own_addresses_is_found(join: Callable[..., Device], world: SimpleNamespace) -> None:
    world.shown = {("172.16.0.1", 22): OTHER_HOST_KEY, ("10.9.0.7", 2222): HOST_KEY}
    device = join(came_from="172.16.0.1")
    assert (device.address, device.port) == ("10.9.0.7", 2222)


@pytest.mark.parametrize("came_from", ["", "127.0.0.1", "unix:"])
def test_an_address_that_says_nothing_is_not_tried(
    join: Callable[..., Device], world: SimpleNamespace, came_from: str
) -> None:
    join(came_from=came_from)
    assert {address for address, _ in world.asked} == {"192.168.1.7", "10.9.0.7"}


def test_another_machine_at_the_address_is_not_taken_for_it(
    join: Callable[..., Device], world: SimpleNamespace
) -> None:
    world.shown = {("192.168.1.7", 22): OTHER_HOST_KEY}
    with pytest.raises(joining.JoinRefused, match=r"At 192\.168\.1\.7 port 22 another machine answers"):
        join()
    assert not Device.objects.exists()
    assert "firewall" in outcome().sentence


@pytest.mark.parametrize(
    "error", [ssh.DeviceUnreachable("attic refused the key"), ValidationError({"user": "attic refused the key"})]
)
def test_a_failed_login_uses_the_token_up_and_says_why(
    join: Callable[..., Device], world: SimpleNamespace, error: Exception
) -> None:
    world.error = error
    with pytest.raises(joining.JoinRefused, match="attic refused the key"):
        join()
    assert (outcome().state, outcome().sentence) == ("failed", "attic refused the key")
    assert JoinToken.objects.get().used_at


def test_what_nobody_foresaw_is_reported_as_such(join: Callable[..., Device], world: SimpleNamespace) -> None:
    world.error = TypeError("secret inner workings")
    with pytest.raises(TypeError):
        join()
    assert outcome().sentence == joining.BY_ACCIDENT


def test_a_report_that_cannot_be_read_is_a_failure(join: Callable[..., Device]) -> None:
    with pytest.raises(joining.JoinRefused, match="no SSH host key"):
        join(report="hostname=attic")


def test_a_token_is_taken_by_one_of_those_who_come_at_the_same_moment(user: User) -> None:
    _, text = join_tokens.token_create(user=user, actor=SYSTEM)
    assert [bool(join_tokens.token_take(text)) for _ in range(3)] == [True, False, False]


@pytest.mark.usefixtures("world")
def test_used_old_and_unknown_tokens_are_refused_with_their_reason(user: User) -> None:
    used, used_text = join_tokens.token_create(user=user, actor=SYSTEM)
    old, old_text = join_tokens.token_create(user=user, actor=SYSTEM)
    JoinToken.objects.filter(pk=used.pk).update(used_at=timezone.now())
    JoinToken.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    for text, words in ((used_text, "used already"), (old_text, "too old"), ("x" * 43, "not one of ForgeLab's")):
        with pytest.raises(joining.JoinRefused, match=words):
            joining.join(token_text=text, report_text=REPORT, came_from="192.168.1.7")
    assert not Device.objects.exists()
    old.refresh_from_db()
    assert old.used_at is None


def test_tokens_of_somebody_who_was_shut_out_count_no_more(user: User) -> None:
    _, text = join_tokens.token_create(user=user, actor=SYSTEM)
    User.objects.update(is_active=False)
    assert join_tokens.token_find(text) is None
    assert join_tokens.token_take(text) is None


def test_host_names_that_many_machines_share_are_counted(join: Callable[..., Device], world: SimpleNamespace) -> None:
    join()
    world.shown = {("192.168.1.8", 22): OTHER_HOST_KEY}
    report = REPORT.replace(HOST_KEY, OTHER_HOST_KEY).replace("192.168.1.7", "192.168.1.8")
    assert join(report, came_from="192.168.1.8").name == "attic-2"


def test_a_copy_of_a_machine_is_distinguished_from_it(join: Callable[..., Device]) -> None:
    join()
    with pytest.raises(joining.JoinRefused, match=r"is in ForgeLab already: attic at 192\.168\.1\.7"):
        join(name="copy")


@pytest.mark.parametrize("name", ["Attic", "{{ 7*7 }}", "all", "taken"])
def test_a_wish_for_a_name_is_checked_before_there_is_a_token(user: User, identity: Identity, name: str) -> None:
    Device.objects.create(name="taken", identity=identity, host_keys=OTHER_HOST_KEY)
    with pytest.raises(ValidationError) as refused:
        join_tokens.token_create(user=user, name=name, actor=SYSTEM)
    assert list(refused.value.message_dict) == ["name"]
    assert not JoinToken.objects.exists()


def test_a_join_that_forgelab_was_stopped_in_does_not_wait_for_ever(user: User) -> None:
    token, text = join_tokens.token_create(user=user, actor=SYSTEM)
    assert join_tokens.outcome(token).state == "waiting"
    taken = join_tokens.token_take(text)
    assert taken
    assert join_tokens.outcome(taken).state == "joining"
    taken.used_at -= timedelta(hours=1)
    assert join_tokens.outcome(taken).state == "failed"


def test_tokens_of_long_ago_are_forgotten(user: User) -> None:
    old, _ = join_tokens.token_create(user=user, actor=SYSTEM)
    JoinToken.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(days=31))
    new, _ = join_tokens.token_create(user=user, actor=SYSTEM)
    assert list(JoinToken.objects.all()) == [new]
