"""Waking a device: real packets on loopback, a real sshd that comes up when its packet arrives."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.core.exceptions import ValidationError

from forgelab.accounts.actors import SYSTEM
from forgelab.devices import ssh, update, waking
from forgelab.devices.models import Device, Identity
from tests.support.sshd import Sshd, sshd

pytestmark = pytest.mark.django_db
MAC = "52:54:00:12:34:56"
PACKET = b"\xff" * 6 + bytes.fromhex("525400123456") * 16


class Card:
    """A network card that waits for its packet on loopback, and wakes its machine by calling `wake`."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.255.255.255", 0))  # what is sent to all of loopback's net, and nothing else
        self.port = self.socket.getsockname()[1]
        self.packets: list[bytes] = []
        self.wake: Callable[[], None] = lambda: None
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                packet = self.socket.recv(2000)
            except OSError:
                return
            self.packets.append(packet)
            if len(self.packets) == 1:
                self.wake()


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    card = Card()
    monkeypatch.setattr(waking, "PORT", card.port)
    monkeypatch.setattr(waking, "LOOK_AGAIN", 0.2)
    yield card
    card.socket.close()


@pytest.fixture
def server() -> Iterator[Sshd]:
    with sshd() as server:
        yield server


@pytest.fixture
def device(server: Sshd, make_device: Callable[..., Device]) -> Device:
    identity = Identity.objects.create(name="own", public_key=server.public_key, private_key=server.private_key)
    keys = "\n".join(str(key) for key in server.host_keys())
    return make_device("nas", port=server.port, user=server.user, identity=identity, host_keys=keys, sleeps=True,
                       mac_address=MAC)  # fmt: skip


def test_a_device_that_is_awake_gets_no_packet(device: Device, card: Card) -> None:
    assert waking.awaken(device) is False
    assert card.packets == []


def test_a_sleeping_device_is_woken_by_its_packet_and_waited_for(device: Device, server: Sshd, card: Card) -> None:
    server.stop()
    card.wake = partial(server.start, fresh=False)
    assert waking.awaken(device, patience=60) is True
    assert card.packets[0] == PACKET


def test_one_that_does_not_wake_up_is_given_up_with_a_sentence(device: Device, server: Sshd, card: Card) -> None:
    server.stop()
    with pytest.raises(waking.StillAsleep, match=f"nas sleeps and did not wake up within 1 seconds.*{MAC}.*refused"):
        waking.awaken(device, patience=1)
    assert card.packets


def test_the_packet_is_sent_again_while_nothing_answers(device, server, card, monkeypatch) -> None:
    monkeypatch.setattr(waking, "SEND_AGAIN", 0.1)
    server.stop()
    with pytest.raises(waking.StillAsleep):
        waking.awaken(device, patience=2)
    assert len(card.packets) > 1


def test_a_waiter_can_be_stopped(device: Device, server: Sshd, card: Card) -> None:
    server.stop()
    answers = iter([True, False])
    with pytest.raises(waking.GivenUp):
        waking.awaken(device, patience=60, go_on=lambda: next(answers))


def test_without_the_cards_address_it_says_how_to_give_it(device: Device, server: Sshd, card: Card) -> None:
    server.stop()
    device.mac_address = ""
    with pytest.raises(waking.StillAsleep, match="forgelab device update nas --mac-address"):
        waking.awaken(device)
    assert card.packets == []


def test_somebody_else_at_its_address_is_reported_and_not_worked_on(device: Device, server: Sshd, card: Card) -> None:
    server.restart()
    with pytest.raises(ssh.HostKeyChanged):
        waking.awaken(device)
    assert card.packets == []


def test_a_device_behind_another_is_woken_from_there(device, server, card, make_device) -> None:
    """Only whoever is on the same wire can wake it: the packet is sent by the jump host, which here is awake."""
    behind = make_device("attic", jump=device, sleeps=True, mac_address=MAC)
    waking.send(behind)
    waiting = threading.Event()
    for _ in range(100):
        if card.packets or waiting.wait(0.1):
            break
    assert card.packets == [PACKET]


def test_where_no_way_leads_it_says_so(device: Device, card: Card) -> None:
    device.address = "no-such-name.invalid"
    with pytest.raises(waking.StillAsleep, match="no packet to wake it can be sent"):
        waking.send(device)


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "127.9.9.9", "::1"])
def test_packets_leave_by_the_card_that_leads_to_the_device(address: str) -> None:
    assert waking.wire_to(address) == waking.Wire("127.0.0.1", "127.255.255.255")


class TestMarking:
    @pytest.mark.parametrize("given", ["52:54:00:12:34:56", "52-54-00-12-34-56", "5254.0012.3456", " 525400123456 "])
    def test_an_address_is_kept_in_one_form(self, device: Device, given: str) -> None:
        update.device_update(device=device, mac_address=given, actor=SYSTEM)
        assert Device.objects.get().mac_address == MAC

    @pytest.mark.parametrize("given", ["52:54", "00:00:00:00:00:00", "zz:54:00:12:34:56", "x" * 40, "$(reboot)"])
    def test_anything_else_is_refused_with_the_field(self, device: Device, given: str) -> None:
        with pytest.raises(ValidationError) as refused:
            update.device_update(device=device, sleeps=False, mac_address=given, actor=SYSTEM)
        assert list(refused.value.message_dict) == ["mac_address"]
        assert Device.objects.get().sleeps

    def test_what_is_not_given_stays(self, device: Device) -> None:
        update.device_update(device=device, sleeps=False, actor=SYSTEM)
        assert (Device.objects.get().sleeps, Device.objects.get().mac_address) == (False, MAC)
        update.device_update(device=device, mac_address="", actor=SYSTEM)
        assert (Device.objects.get().sleeps, Device.objects.get().mac_address) == (False, "")

    def test_a_device_that_may_not_sleep_any_more_is_not_asleep(self, device: Device) -> None:
        Device.objects.update(status="asleep")
        device.refresh_from_db()
        update.device_update(device=device, sleeps=False, actor=SYSTEM)
        assert Device.objects.get().status == "unreachable"

    def test_this_machine_does_not_sleep(self, make_device: Callable[..., Device]) -> None:
        here = make_device("here", connection="local")
        with pytest.raises(ValidationError, match="asleep, it wakes nobody"):
            update.device_update(device=here, sleeps=True, actor=SYSTEM)
