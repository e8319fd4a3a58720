from __future__ import annotations

import pytest

from forgelab.devices.models import Device
from tests import factories
from tests.cli.commands import Command

pytestmark = pytest.mark.django_db


def test_a_device_is_marked_as_one_that_sleeps(forgelab: Command) -> None:
    factories.device("nas")
    done = forgelab("device", "update", "nas", "--sleeps")
    assert (done.status, "forgelab device refresh nas" in done.out) == (0, True)
    done = forgelab("device", "update", "nas", "--mac-address", "52-54-00-12-34-56")
    assert "nas may sleep, and is woken by 52:54:00:12:34:56 before a run." in done.out
    assert forgelab("device", "update", "nas", "--no-sleeps").status == 0
    assert Device.objects.values_list("sleeps", "mac_address").get() == (False, "52:54:00:12:34:56")


def test_nothing_to_change_is_asked_for(forgelab: Command) -> None:
    factories.device("nas")
    done = forgelab("device", "update", "nas")
    assert done.status == 1
    assert "Give what to change: --sleeps, --no-sleeps, --mac-address MAC." in done.err


def test_a_wrong_address_names_its_field(forgelab: Command) -> None:
    factories.device("nas")
    done = forgelab("device", "update", "nas", "--sleeps", "--mac-address", "fifty")
    assert (done.status, 'mac_address: "fifty" is no address' in done.err) == (1, True)
    assert not Device.objects.get().sleeps


def test_show_shows_what_a_device_is_made_of(forgelab: Command) -> None:
    factories.device(
        "nas", virtualisation="kvm", temperature_celsius=51.4, uptime_seconds=200_000, availability_percent=99.87,
        misses=2, sleeps=True, mac_address="52:54:00:12:34:56",
        disks=[{"name": "nvme0n1", "kind": "nvme", "size_mb": 476_940, "model": "Samsung"}],
        listening=[{"port": 22, "process": "sshd", "address": "any"}, {"port": 80, "process": "", "address": "any"}],
    )  # fmt: skip
    shown = forgelab("device", "show", "nas").out
    for line in ("Disk nvme0n1: 465.8 GB nvme Samsung", "51 °C", "2 days", "99.9% in 30 days", "2 in a row",
                 "52:54:00:12:34:56", "22 sshd, 80", "kvm"):  # fmt: skip
        assert line in " ".join(shown.split()), line
