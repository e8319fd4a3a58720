"""A device with a running PostgreSQL, kept as a snapshot, and devices that start from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forgelab.lab import Lab, LabDevice, LabError
from tests.e2e.lab_devices import PREFIX, ssh

pytestmark = pytest.mark.lab
SHOP, COPIES = f"{PREFIX}-shop", (f"{PREFIX}-try", f"{PREFIX}-other")
SNAPSHOT, ABOVE = f"{PREFIX}-kept", f"{PREFIX}-above"
IDENTITY = ("hostname", "cat /etc/machine-id", "cat /etc/ssh/ssh_host_*_key.pub")
SEED = "/var/lib/systemd/random-seed"
PREPARED = f"""
apt-get -qq update && apt-get -qq install -y --no-install-recommends postgresql >/dev/null 2>&1
echo 'ssh-ed25519 AAAA forgelab' >>/root/.ssh/authorized_keys
ssh-keygen -qA; echo seed >{SEED}
echo 10.78.0.250 {SHOP}-db >>/etc/hosts
"""


def sql(device: LabDevice, statement: str) -> str:
    return device.exec(["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-c", statement]).stdout.strip()


def settled(device: LabDevice) -> LabDevice:
    """Once all its services have started: SSH answers before."""
    assert device.exec(["systemctl", "is-system-running", "--wait"]).stdout == "running\n"
    return device


def identity(device: LabDevice) -> list[str]:
    return [ssh(device, command) for command in IDENTITY]


@pytest.fixture(scope="module")
def shop(lab: Lab) -> Iterator[LabDevice]:
    """It has a database that runs, somebody else's key, a seed as only real machines have, and a name in its hosts."""
    shop = lab.up(SHOP, memory="1G")
    shop.exec(["sh", "-ec", PREPARED])
    sql(shop, "CREATE TABLE orders AS SELECT generate_series(1, 20000) AS number")
    yield shop
    for name in (*COPIES, f"{PREFIX}-deep", SHOP):
        if name in [device.name for device in lab.devices()]:
            lab.device(name).remove()
    for name in (ABOVE, SNAPSHOT):
        if lab.snapshots.exists(name):
            lab.remove_snapshot(name)


@pytest.fixture(scope="module")
def copies(lab: Lab, shop: LabDevice) -> list[LabDevice]:
    lab.snapshot(SHOP, SNAPSHOT)
    copies = lab.up_many(COPIES, source=SNAPSHOT)
    return [settled(device) for device in copies]


def test_the_device_runs_on_as_it_was(lab: Lab, shop: LabDevice, copies: list[LabDevice]) -> None:
    device = settled(lab.device(SHOP))
    assert device.state == "on"
    assert ssh(device, "hostname") == SHOP  # its host keys are the same: ssh trusts no others
    assert sql(device, "SELECT count(*) FROM orders") == "20000"


def test_each_copy_is_a_machine_of_its_own(shop: LabDevice, copies: list[LabDevice]) -> None:
    found = [identity(device) for device in (shop, *copies)]
    for values in zip(*found, strict=True):
        assert len(set(values)) == 3, values
    assert [names[0] for names in found] == [SHOP, *COPIES]
    for device in copies:
        assert ssh(device, f"ls /etc/ssh/ssh_host_*_key | wc -l; ls {SEED} 2>/dev/null || true") == "2"
    assert ssh(shop, f"cat {SEED}") == "seed"


def test_a_copy_is_known_by_its_own_name_and_others_by_theirs(copies: list[LabDevice]) -> None:
    hosts = copies[0].exec(["cat", "/etc/hosts"]).stdout
    assert f"{copies[0].address} {COPIES[0]}.lab.test {COPIES[0]}\n" in hosts
    assert f"10.78.0.250 {SHOP}-db\n" in hosts


def test_who_may_log_in_is_kept(copies: list[LabDevice]) -> None:
    assert "ssh-ed25519 AAAA forgelab\n" in copies[0].exec(["cat", "/root/.ssh/authorized_keys"]).stdout


def test_the_database_comes_up_clean(copies: list[LabDevice]) -> None:
    for device in copies:
        assert sql(device, "SELECT sum(number) FROM orders") == "200010000"
        log = device.exec(["sh", "-c", "cat /var/log/postgresql/*.log"]).stdout
        assert "database system was shut down at" in log
        assert "not properly shut down" not in log


def test_all_three_are_written_independently(shop: LabDevice, copies: list[LabDevice]) -> None:
    sql(copies[0], "DELETE FROM orders WHERE number > 5")
    sql(copies[1], "DROP TABLE orders")
    copies[1].exec(["rm", "/etc/hosts"])
    assert sql(copies[0], "SELECT count(*) FROM orders") == "5"
    assert sql(copies[1], "SELECT to_regclass('orders') IS NULL") == "t"
    assert sql(shop, "SELECT count(*) FROM orders") == "20000"
    assert SHOP in shop.exec(["cat", "/etc/hosts"]).stdout


def test_a_copy_can_be_kept_and_started_from_in_turn(lab: Lab, copies: list[LabDevice]) -> None:
    lab.snapshot(COPIES[0], ABOVE)
    deep = settled(lab.up(f"{PREFIX}-deep", source=ABOVE))
    assert sql(deep, "SELECT count(*) FROM orders") == "5"
    assert deep.memory == 2**30
    assert deep.host_keys() != lab.device(COPIES[0]).host_keys()
    assert ssh(deep, "hostname") == f"{PREFIX}-deep"


def test_a_snapshot_in_use_is_kept_and_its_users_named(lab: Lab, copies: list[LabDevice]) -> None:
    with pytest.raises(LabError, match=f"{SNAPSHOT} is in use by .*device {COPIES[1]}.*snapshot {ABOVE}.*lab rm"):
        lab.remove_snapshot(SNAPSHOT)
    assert ssh(copies[1], "hostname") == COPIES[1]


def test_it_is_gone_once_nothing_stands_on_it(lab: Lab, copies: list[LabDevice]) -> None:
    for name in (f"{PREFIX}-deep", *COPIES, SHOP):
        lab.device(name).remove()
    for name in (ABOVE, SNAPSHOT):
        lab.remove_snapshot(name)
    assert not list(Path(lab.site.snapshots).glob(f"{PREFIX}-*"))
