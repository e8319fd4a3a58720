"""A run on a device that sleeps: it is woken first, and the run stays alive, or ends with a sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from forgelab.devices import ssh, waking
from forgelab.devices.models import Device
from forgelab.runs import claims, orphans
from forgelab.runs.execution import execute
from forgelab.runs.models import DeviceLock, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_left(performed: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "left_on_device", lambda *args, **more: 0)


@pytest.fixture
def sleeper(device: Device) -> Device:
    Device.objects.update(sleeps=True, mac_address="52:54:00:12:34:56", status=Device.Status.ASLEEP)
    device.refresh_from_db()
    return device


def awaken(monkeypatch: pytest.MonkeyPatch, answer: Callable[..., bool]) -> None:
    monkeypatch.setattr(waking, "awaken", answer)


def test_a_device_that_does_not_sleep_is_not_woken(run: Run, performed, monkeypatch) -> None:
    awaken(monkeypatch, lambda *args, **more: pytest.fail("woken"))
    assert execute(run.pk).status == "succeeded"
    assert performed


def test_a_sleeping_device_is_woken_before_anything_is_done(sleeper, run: Run, performed, monkeypatch) -> None:
    woken: list[str] = []
    awaken(monkeypatch, lambda device, **more: bool(woken.append(device.name)) or performed == [])
    assert execute(run.pk).status == "succeeded"
    assert woken == ["homelab-server-01"]


@pytest.mark.parametrize("error", [waking.StillAsleep("It sleeps."), ssh.HostKeyChanged("Another key.")])
def test_one_that_stays_asleep_fails_the_run_with_the_sentence(sleeper, run, performed, monkeypatch, error) -> None:
    def fail(*args: object, **more: object) -> bool:
        raise error

    awaken(monkeypatch, fail)
    ended = execute(run.pk)
    assert ended.status == "failed"
    assert str(error) in ended.status_detail
    assert performed == []
    assert ended.device_clean
    assert not DeviceLock.objects.exists()


def waits(*, until: Callable[[], object]) -> Callable[..., bool]:
    def wait(device: Device, *, go_on: Callable[[], bool]) -> bool:
        assert go_on()
        until()
        if go_on():
            return True
        raise waking.GivenUp

    return wait


def test_while_it_waits_the_run_stays_alive(sleeper, run: Run, performed, monkeypatch) -> None:
    def grow_old() -> None:
        Run.objects.update(heartbeat_at=timezone.now() - timezone.timedelta(minutes=5))

    awaken(monkeypatch, waits(until=grow_old))
    beats: list[Run] = []
    real = claims.heartbeat
    monkeypatch.setattr(claims, "heartbeat", lambda run: beats.append(run) or real(run))
    assert execute(run.pk).status == "succeeded"
    assert len(beats) >= 2


def test_a_run_that_is_cancelled_meanwhile_ends_cancelled(sleeper, run: Run, performed, monkeypatch) -> None:
    awaken(monkeypatch, waits(until=lambda: Run.objects.update(cancel_requested_at=timezone.now())))
    ended = execute(run.pk)
    assert (ended.status, performed) == ("cancelled", [])
    assert "Nothing was started" in ended.status_detail
