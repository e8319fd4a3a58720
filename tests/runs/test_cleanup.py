"""Before a run starts, what an earlier one left on its device is ended, or the run does not start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from forgelab.devices import ssh
from forgelab.runs import claims, cleanup, orphans
from forgelab.runs.execution import execute
from forgelab.runs.models import DeviceLock, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def at_once(performed: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "PAUSE", 0)


@pytest.fixture
def lost(make_run: Callable[..., Run]) -> Run:
    run = make_run()
    Run.objects.filter(pk=run.pk).update(status="lost", device_clean=False)
    return run


def device_says(monkeypatch: pytest.MonkeyPatch, *left: int | None) -> list[list[str]]:
    """What the device answers when asked how much is left, one time after the other; the runs it was asked for."""
    answers, asked = list(left), []

    def left_on_device(device: object, run_ids: list[object], timeout: float = 15) -> int | None:
        asked.append([str(run_id) for run_id in run_ids])
        return answers.pop(0)

    monkeypatch.setattr(orphans, "left_on_device", left_on_device)
    return asked


def test_what_an_earlier_run_left_is_ended_first(make_run, lost, performed, monkeypatch) -> None:
    asked = device_says(monkeypatch, 0)
    assert execute(make_run().pk).status == "succeeded"
    assert asked == [[str(lost.pk)]]
    assert not Run.objects.filter(device_clean=False).exists()


def test_a_device_is_asked_only_when_something_may_be_left(make_run, performed, monkeypatch) -> None:
    Run.objects.filter(pk=make_run().pk).update(status="succeeded")
    asked = device_says(monkeypatch)
    assert execute(make_run().pk).status == "succeeded"
    assert asked == []


@pytest.mark.parametrize("first", [None, 2])
def test_one_that_does_not_answer_at_once_is_asked_again(make_run, lost, performed, monkeypatch, first) -> None:
    asked = device_says(monkeypatch, first, first, 0)
    assert execute(make_run().pk).status == "succeeded"
    assert len(asked) == 3


def test_out_of_reach_it_gets_no_second_playbook(make_run, lost, performed, monkeypatch) -> None:
    device_says(monkeypatch, None, None, None)
    ended = execute(make_run().pk)
    assert (ended.status, performed) == ("failed", [])
    assert "Nothing was started" in ended.status_detail
    assert "forgelab device refresh homelab-server-01" in ended.status_detail
    assert Run.objects.filter(device_clean=False).count() == 1
    assert not DeviceLock.objects.exists()


@pytest.mark.parametrize(("left", "words"), [(1, "1 process of"), (3, "3 processes of")])
def test_what_cannot_be_ended_is_reported_as_such(make_run, lost, performed, monkeypatch, left, words) -> None:
    device_says(monkeypatch, left, left, left)
    ended = execute(make_run().pk)
    assert (ended.status, performed) == ("failed", [])
    assert ended.status_detail.startswith(f"{words} an earlier run cannot be ended on homelab-server-01")
    assert "Restart homelab-server-01" in ended.status_detail
    assert Run.objects.filter(device_clean=False).count() == 1


def test_a_changed_host_key_is_what_it_says(make_run, lost, performed, monkeypatch) -> None:
    device_says(monkeypatch, None, None, None)

    def run_script(*args: object, **more: object) -> str:
        raise ssh.HostKeyChanged("Another key.")

    monkeypatch.setattr(ssh, "run_script", run_script)
    assert execute(make_run().pk).status_detail == "Another key."


def test_while_it_is_asked_the_run_stays_alive(make_run, lost, performed, monkeypatch) -> None:
    device_says(monkeypatch, None, None, 0)
    beats: list[Run] = []
    real = claims.heartbeat
    monkeypatch.setattr(claims, "heartbeat", lambda run: beats.append(run) or real(run))
    assert execute(make_run().pk).status == "succeeded"
    assert len(beats) == 3


def test_cancelled_meanwhile_it_ends_cancelled(make_run, lost, performed, monkeypatch) -> None:
    run = make_run()

    def left_on_device(*args: object, **more: object) -> None:
        Run.objects.filter(pk=run.pk).update(cancel_requested_at=timezone.now())

    monkeypatch.setattr(orphans, "left_on_device", left_on_device)
    ended = execute(run.pk)
    assert (ended.status, performed) == ("cancelled", [])
    assert "Nothing was started" in ended.status_detail
    assert Run.objects.filter(device_clean=False).count() == 1
