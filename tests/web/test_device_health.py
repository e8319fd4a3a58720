"""What a device's page and the list show of its health."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from forgelab.devices import services
from forgelab.devices.models import Device, Sample
from tests import factories
from tests.web.pages import text


def measured(device: Device, hours: int = 20, load: float = 12.0, span: int = Sample.Span.FIVE_MINUTES) -> None:
    now = timezone.now()
    Sample.objects.bulk_create(
        Sample(device=device, span=span, at=now - timedelta(seconds=span * n), load_percent=load + n % 7,
               memory_available_mb=4096, disk_free_mb=204_800, temperature_celsius=48.5)
        for n in range(hours * 3600 // span)
    )  # fmt: skip


def test_the_page_draws_the_last_day_with_its_figures_in_words(web: Client, best: Device) -> None:
    measured(best)
    page = web.get("/devices/homelab-server-02/").content.decode()
    assert page.count('<svg class="spark"') == 4
    assert re.search(r'aria-label="Load over the last 24 hours: now \d+%, lowest 12%, highest 18%"', page)
    assert 'aria-label="Memory free over the last 24 hours: now 4GB, lowest 4GB, highest 4GB"' in page
    assert "48 °C" in page or "49 °C" in page
    assert "style=" not in page  # the Content-Security-Policy allows none
    assert "<script" not in re.search(r'<div class="sparks">.*?</div>', page, re.DOTALL)[0]


def test_without_figures_it_says_when_there_will_be_some(web: Client, best: Device) -> None:
    assert "No measurements yet. Every device is probed once a minute" in text(web.get("/devices/homelab-server-02/"))


def test_the_list_draws_each_devices_load(web: Client, best: Device) -> None:
    measured(best, span=Sample.Span.HOUR)
    factories.device("new", address="192.168.1.9")
    assert web.get("/devices/").content.decode().count('<svg class="spark"') == 1


def test_the_machine_is_described_with_disks_and_ports(web: Client, best: Device) -> None:
    best.disks = [{"name": "nvme0n1", "kind": "nvme", "size_mb": 476940, "model": "Samsung <b>SSD</b>"}]
    best.listening = [
        {"port": 80, "process": "nginx", "address": "any"},
        {"port": 53, "process": "x", "address": "loopback"},
    ]
    best.virtualisation, best.temperature_celsius, best.uptime_seconds = "kvm", 51.4, 90_000
    best.save()
    response = web.get("/devices/homelab-server-02/")
    page = text(response)
    for shown in ("NVMe", "80 nginx", "53 x (itself only)", "kvm", "51 °C", "Running since"):
        assert shown in page
    assert "<b>SSD</b>" not in response.content.decode()


def test_one_miss_is_shown_and_is_not_called_down(web: Client, best: Device) -> None:
    Device.objects.update(misses=1, status_detail="no answer")
    page = text(web.get("/devices/homelab-server-02/"))
    assert "It did not answer the last probe. After 3 in a row it is shown as unreachable" in page
    assert "no answer" in page
    assert "Reachable" in page


def test_a_sleeping_device_is_asleep_and_no_error(web: Client, best: Device) -> None:
    Device.objects.update(misses=9, status="asleep", status_detail="no answer", sleeps=True)
    page = text(web.get("/devices/homelab-server-02/"))
    assert "homelab-server-02 is asleep. A run wakes it once its MAC address is known" in page
    assert "no answer" not in page


def test_a_look_by_hand_that_fails_says_so_at_once(web: Client, best: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> str:
        raise services.ssh.DeviceUnreachable("homelab-server-02 cannot be reached: no answer.")

    monkeypatch.setattr("forgelab.devices.services.ssh.run_script", refuse)
    page = text(web.post("/devices/homelab-server-02/refresh/", follow=True))
    assert "cannot be reached: no answer" in page
    assert "homelab-server-02 answered" not in page
    assert Device.objects.get().status == "reachable"


def test_a_device_is_marked_as_one_that_sleeps_and_back(web: Client, best: Device) -> None:
    page = web.post(
        "/devices/homelab-server-02/sleep/", {"sleeps": "on", "mac_address": "52-54-00-12-34-56"}, follow=True
    )
    assert "expected to sleep at times" in text(page)
    assert Device.objects.values_list("sleeps", "mac_address").get() == (True, "52:54:00:12:34:56")
    web.post("/devices/homelab-server-02/sleep/", {"mac_address": ""})
    assert Device.objects.values_list("sleeps", "mac_address").get() == (False, "")


def test_a_wrong_address_is_refused_with_a_sentence(web: Client, best: Device) -> None:
    page = web.post("/devices/homelab-server-02/sleep/", {"sleeps": "on", "mac_address": "fifty"}, follow=True)
    assert '"fifty" is no address of a network card' in text(page)
    assert not Device.objects.get().sleeps
