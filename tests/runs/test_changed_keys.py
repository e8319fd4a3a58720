"""A run on a device whose host key changed, with the real ansible-runner, ssh and sshd: it ends, loudly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from forgelab.devices.models import Device, Identity
from forgelab.runs import execution
from forgelab.runs.execution import execute
from forgelab.runs.models import Run
from forgelab.runs.plan import Plan, PlannedRole
from forgelab.runs.playbook import PlaybookProcess
from tests.support.services import ServiceMissing
from tests.support.sshd import Sshd, sshd

pytestmark = pytest.mark.django_db(transaction=True)
PLAN = Plan("laravel", "Provision laravel", (PlannedRole("versions", "Recording versions"),))


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    try:
        with sshd() as running:
            yield running
    except ServiceMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def gate(server: Sshd) -> Device:
    """A device that shows another key than the pinned one."""
    key = Identity.objects.create(name="gate-key", public_key=server.public_key, private_key=server.private_key)
    pinned = "\n".join(map(str, server.host_keys()))
    server.restart()
    return Device.objects.create(
        name="gate", address="127.0.0.1", port=server.port, user=server.user, identity=key, host_keys=pinned
    )


def test_the_run_fails_with_what_happened_and_what_to_do(gate, server, make_run):
    ended = execute(make_run(device=gate, plan=PLAN).pk)
    assert ended.status == "failed"
    assert ended.status_detail.startswith("HOST KEY CHANGED: that of gate "), ended.status_detail
    assert f"Shown now: {server.host_keys()[0].fingerprint}." in ended.status_detail
    assert ended.status_detail.endswith("forgelab device trust gate")
    assert "shows another host key than the pinned one" in ended.steps.get().detail
    assert "@@@" not in ended.steps.get().detail


def test_the_run_behind_it_names_the_device_on_the_way(gate, make_device, make_run):
    attic = make_device("attic", jump=gate)
    ended = execute(make_run(device=attic, plan=PLAN).pk)
    assert ended.status == "failed"
    assert ended.status_detail.startswith("attic is reached through gate. HOST KEY CHANGED: that of gate ")


def test_an_earlier_run_that_may_still_work_there_does_not_hide_it(gate, make_run):
    Run.objects.filter(pk=make_run(device=gate).pk).update(status="lost", device_clean=False)
    ended = execute(make_run(device=gate, plan=PLAN).pk)
    assert ended.status_detail.startswith("HOST KEY CHANGED: that of gate "), ended.status_detail
    assert Run.objects.filter(device_clean=False).exists()


def test_the_keys_of_everybody_on_the_way_are_masked(gate, make_device, make_run, monkeypatch):
    known: list[str] = []
    monkeypatch.setattr(
        execution, "PlaybookProcess", lambda *args, **more: known.extend(args[-1]) or PlaybookProcess(*args, **more)
    )
    attic = make_device("attic", jump=gate)
    execute(make_run(device=attic, plan=PLAN).pk)
    assert {gate.identity.private_key, attic.identity.private_key} < set(known)
