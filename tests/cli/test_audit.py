"""`forgelab audit`: the table, the filters, JSON."""

from __future__ import annotations

import json

import pytest

from forgelab.accounts import audit
from forgelab.accounts.actors import SCHEDULER, SYSTEM
from forgelab.devices.models import Device
from tests.cli.commands import Command


@pytest.fixture(autouse=True)
def entries(device: Device) -> None:
    audit.record(actor=SYSTEM, action="device.update", obj=device, before={"sleeps": False}, after={"sleeps": True})
    audit.record(actor=SCHEDULER, action="server.plan", name="shop")


def test_it_says_who_did_what_newest_first(forgelab: Command) -> None:
    newest, oldest = forgelab("audit").out.strip().splitlines()[-2:]

    assert "scheduler" in newest and "server.plan" in newest
    assert "device homelab-server-01" in oldest and "sleeps: False -> True" in oldest


@pytest.mark.parametrize(
    "chosen", [("--actor", "ForgeLab"), ("--action", "device.update"), ("--object", "homelab-server-01")]
)
def test_it_is_narrowed_by_actor_action_and_object(forgelab: Command, chosen: tuple[str, str]) -> None:
    found = json.loads(forgelab("audit", *chosen, "--json").out)

    assert [(entry["action"], entry["after"]) for entry in found] == [("device.update", {"sleeps": True})]


def test_an_unknown_action_is_refused_with_those_there_are(forgelab: Command) -> None:
    done = forgelab("audit", "--action", "device.paint")

    assert done.status == 2
    assert "device.update" in done.err


def test_where_nothing_fits_it_says_so(forgelab: Command) -> None:
    assert "Nothing like this was done yet." in forgelab("audit", "--object", "nowhere").out
