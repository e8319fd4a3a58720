"""A Database Server that follows another one, and takes over when the other one's power is gone."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from forgelab.lab import Lab, LabDevice
from tests.e2e.databases import Database, is_shut, reach, succeeded
from tests.support.stack import Stack, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.matrix]
Join = Callable[..., tuple[LabDevice, str]]
VERSIONS = {"bookworm": "15", "trixie": "17"}


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def servers(request: pytest.FixtureRequest, stack: Stack, join: Join, lab: Lab) -> tuple[Database, Database]:
    """A primary whose commits wait for a standby, and the standby. This machine may use both."""
    image, here = request.param, [f"{lab.site.gateway}/32"]
    one, one_id = join(f"db-first-{image}", image=image, memory="2G")
    two, two_id = join(f"db-second-{image}", image=image, memory="2G")
    names = {"database_name": "shop", "database_user": "shop_user", "postgresql_version": VERSIONS[image]}
    first = Database(stack, one, one_id, f"first-{image}", {
        **names, "allowed_networks": here, "standby_networks": [f"{two.address}/32"], "postgresql_synchronous": True,
    })  # fmt: skip
    second = Database(stack, two, two_id, f"second-{image}", {
        **names, "allowed_networks": here, "replicate_from": first.name,
    })  # fmt: skip
    for database in (first, second):
        assert succeeded(database.provision()) > 0
    return first, second


Servers = tuple[Database, Database]


def test_only_the_standby_may_replicate(servers: Servers) -> None:
    first, second = servers
    rules = "SELECT address FROM pg_hba_file_rules WHERE 'replication' = ANY (database) AND address !~ '^(127|::1)'"
    assert first.ask(rules) == second.device.address
    assert reach(second.device, first.device.address, 5432) == "b'open'"
    assert not is_shut(first.device.address, 5432)
    with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
        first.login(user="forgelab_replication", dbname="postgres", password="any")


def test_the_standby_has_what_the_primary_has_and_cannot_be_written_to(servers: Servers) -> None:
    first, second = servers
    with first.login() as connection:
        connection.execute("CREATE TABLE kept (id int PRIMARY KEY)")
        connection.execute("INSERT INTO kept VALUES (0)")
    wait_for(lambda: second.ask("SELECT pg_is_in_recovery()") == "t", 10, "the second is a standby")
    with second.login() as connection:  # the password that the success page shows is the primary's
        rows = "SELECT count(*) FROM kept"
        wait_for(lambda: connection.execute(rows).fetchone() == (1,), 30, "the row is seen on the standby")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("INSERT INTO kept VALUES (-1)")


def test_both_reprovisioned_change_nothing(servers: Servers) -> None:
    assert [succeeded(database.provision()) for database in servers] == [0, 0]


def test_what_is_not_acknowledged_by_the_standby_waits(servers: Servers) -> None:
    first, second = servers
    acknowledged = threading.Event()

    def insert() -> None:
        with first.login() as connection:
            connection.execute("INSERT INTO kept VALUES (-2)")
        acknowledged.set()

    second.device.cut()
    try:
        waiting = threading.Thread(target=insert, daemon=True)
        waiting.start()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        wait_for(lambda: first.ask(waits) == "1", 30, "the commit waits for the standby")
        assert not acknowledged.is_set()
    finally:
        second.device.heal()
    assert acknowledged.wait(120)


def test_a_primary_that_answers_is_not_taken_over_from(servers: Servers) -> None:
    _, second = servers
    run = second.provision(postgresql_promote=True)
    assert run["status"] == "failed"
    assert "still answers" in run["status_detail"]
    assert second.ask("SELECT pg_is_in_recovery()") == "t"
    assert succeeded(second.provision(postgresql_promote=False)) == 0


def test_the_lag_is_shown_when_commits_do_not_wait(servers: Servers) -> None:
    first, second = servers
    assert succeeded(first.provision(postgresql_synchronous=False)) > 0
    assert first.ask("SHOW synchronous_standby_names") == ""
    second.device.cut()
    with first.login() as connection:
        connection.execute("CREATE TABLE many AS SELECT generate_series(1, 50000) AS id")
    shown = first.device.exec(["forgelab-replication"]).stdout
    row = next(line.split("|") for line in shown.splitlines() if "forgelab_db_second" in line)
    assert int(row[5]) > 1_000_000  # bytes that nobody sees there yet
    second.device.heal()
    caught_up = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"
    wait_for(lambda: first.ask(caught_up) == "1", 90, "the standby has caught up", every=1)
    assert "streaming" in second.device.exec(["forgelab-replication"]).stdout
    assert succeeded(first.provision(postgresql_synchronous=True)) > 0
    wait_for(lambda: first.ask("SELECT sync_state FROM pg_stat_replication") == "quorum", 30, "commits wait again")


def write(database: Database, acknowledged: list[int]) -> None:
    """Rows one after the other, each noted once it is acknowledged, until the connection breaks."""
    try:
        with database.login() as connection:
            for number in range(1, 1_000_000):
                connection.execute("INSERT INTO kept VALUES (%s)", (number,))
                acknowledged.append(number)
    except psycopg.OperationalError:
        return


def test_no_acknowledged_row_is_lost_with_the_primarys_power(servers: Servers) -> None:
    first, second = servers
    acknowledged: list[int] = []
    writer = threading.Thread(target=write, args=(first, acknowledged))
    writer.start()
    wait_for(lambda: len(acknowledged) > 500, 60, "rows are written")
    first.device.kill()
    writer.join(60)
    assert not writer.is_alive()
    before = first.credentials()
    assert succeeded(second.provision(postgresql_promote=True, replicate_from="")) > 0
    assert second.ask("SELECT pg_is_in_recovery()") == "f"
    assert second.credentials() == before  # an application that used the first changes the address only
    with second.login() as connection:
        found = {row[0] for row in connection.execute("SELECT id FROM kept")}
        assert set(acknowledged) <= found
        connection.execute("INSERT INTO kept VALUES (-4)")


def test_the_new_primary_reprovisioned_changes_nothing(servers: Servers) -> None:
    assert succeeded(servers[1].provision()) == 0


def shown(stack: Stack, name: str) -> dict[str, Any]:
    return json.loads(stack.cli("server", "show", name, "--json").stdout)


def test_the_old_primary_is_said_to_be_replaced_while_it_is_off(servers: Servers, stack: Stack) -> None:
    first, second = servers
    told = shown(stack, first.name)
    assert told["status"] == "failed"
    assert f"{second.name} took over from {first.name}" in told["status_detail"]


def test_powered_up_again_it_takes_no_writes_before_anybody_asks(servers: Servers, stack: Stack) -> None:
    """ForgeLab sees by itself that the device answers, and what was a primary is one no more."""
    first, second = servers
    first.device.start()
    ask = ["runuser", "-u", "postgres", "--", "psql", "-XAt", "-c", "SELECT pg_is_in_recovery()"]
    stopped = lambda: first.device.exec(ask, check=False).stdout.strip() == "t"  # noqa: E731 - PostgreSQL may just start
    wait_for(stopped, 300, "the old primary takes no more writes", every=1)
    with first.login() as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("INSERT INTO kept VALUES (-5)")
    count = ["runuser", "-u", "postgres", "--", "psql", "-XAtd", "shop", "-c", "SELECT count(*) FROM kept"]
    assert int(first.device.exec(count).stdout) > 500  # its data are there to be looked at
    runs = stack.api.get("runs", params={"limit": 200}).raise_for_status().json()["results"]
    stack.wait_for_end(next(run["id"] for run in runs if run["device"]["name"] == first.device.name))
    detail = shown(stack, first.name)["status_detail"]
    assert f"forgelab server change {first.name} postgresql_replace_data=true --confirm {first.name}" in detail
    assert second.ask("SELECT pg_is_in_recovery()") == "f"


def test_its_data_go_only_with_its_name_and_a_backup(servers: Servers, stack: Stack) -> None:
    first, _ = servers
    ask = ["server", "change", first.name, "postgresql_replace_data=true"]
    assert f"--confirm {first.name}" in stack.cli(*ask, check=False).stderr
    refused = stack.cli(*ask, "--confirm", first.name, check=False)
    assert "no verified backup of the last 24 hours" in refused.stderr
    stack.cli("server", "backup", first.name)  # it can still be read from


def test_one_command_makes_it_the_standby_of_the_new_primary(servers: Servers, stack: Stack) -> None:
    first, second = servers
    stack.cli("server", "change", first.name, "postgresql_replace_data=true", "--confirm", first.name)
    assert first.ask("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == "1"
    with second.login() as connection:
        connection.execute("INSERT INTO kept VALUES (-6)")
    there = "SELECT count(*) FROM kept WHERE id = -6"
    count = ["runuser", "-u", "postgres", "--", "psql", "-XAtd", "shop", "-c", there]
    wait_for(lambda: first.device.exec(count).stdout.strip() == "1", 60, "the row is on the new standby", every=1)
    told = shown(stack, first.name)
    assert (told["status"], told["status_detail"]) == ("active", "")
    assert (told["config"]["replicate_from"], told["config"]["postgresql_replace_data"]) == (second.name, False)


def test_both_in_their_new_places_change_nothing_when_reprovisioned(servers: Servers, stack: Stack) -> None:
    for database in servers:
        stack.cli("server", "provision", "database-server", "--name", database.name, "--hide-credentials")
        assert stack.cli("server", "plan", database.name).stdout.strip().endswith("No changes.")


def test_a_stopped_primary_follows_without_a_copy(servers: Servers, stack: Stack) -> None:
    """A planned change back: what is stopped before the other one takes over has nothing that the other one lacks."""
    first, second = servers
    unit = f"postgresql@{second.config['postgresql_version']}-main"
    second.device.exec(["systemctl", "stop", unit])
    stack.cli("server", "change", first.name, "postgresql_promote=true", "replicate_from=")
    wait_for(lambda: shown(stack, second.name)["status"] == "active", 300, "the second is a standby again", every=2)
    assert second.ask("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == "1"
    with first.login() as connection:
        connection.execute("INSERT INTO kept VALUES (-7)")
