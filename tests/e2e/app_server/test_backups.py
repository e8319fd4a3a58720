"""Backups on real devices: written by the timer's unit, verified, refused when damaged, restored by ForgeLab."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from forgelab.lab import LabDevice
from tests.e2e.config import BASE, BOOKWORM, NAME, TRIXIE
from tests.support.stack import Stack, wait_for

pytestmark = pytest.mark.lab
UNIT = "forgelab-backup.service"
FOLDER = "/var/backups/forgelab"
DATABASE = "laravel_production"


class Server:
    """A server with a database, the device it is on, and what the tests do to both."""

    def __init__(self, stack: Stack, device: LabDevice, engine: str, name: str = NAME) -> None:
        self.stack, self.device, self.engine, self.name = stack, device, engine, name

    def sql(self, statements: str, database: str = DATABASE) -> str:
        if self.engine == "postgresql":
            command = ["runuser", "-u", "postgres", "--", "psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database]
        else:
            command = ["mariadb", "-BN", database]
        return self.device.exec(command, input=f"{statements}\n").stdout.strip()

    def backups(self) -> dict[str, Any]:
        return json.loads(self.device.exec(["forgelab-backup", "list", "--json"]).stdout)

    def newest(self, database: str = DATABASE) -> dict[str, Any]:
        found = [backup for backup in self.backups()["backups"] if backup["database"] == database]
        return max(found, key=lambda backup: (backup["made_at"], backup["id"]))

    def data_file(self, backup: dict[str, Any]) -> str:
        folder = f"{FOLDER}/{backup['engine']}/databases/{backup['database']}"
        names = self.device.exec(["ls", folder]).stdout.split()
        return next(f"{folder}/{n}" for n in names if n.startswith(backup["id"] + ".") and not n.endswith(".json"))

    def files(self) -> str:
        return self.device.exec(["sh", "-c", f"find {FOLDER} -type f | sort | xargs sha256sum"]).stdout

    def restore(self, *options: str, check: bool = True) -> Any:
        command = ["server", "restore", self.name, "--database", DATABASE, "--confirm", self.name, *options]
        return self.stack.cli(*command, check=check)

    def id(self) -> str:
        rows = self.stack.api.get("infrastructure/servers").raise_for_status().json()["results"]
        return next(row["id"] for row in rows if row["name"] == self.name)


POSTGRESQL = """
CREATE TABLE orders (id serial PRIMARY KEY, v text NOT NULL);
ALTER TABLE orders OWNER TO laravel_user;
CREATE VIEW totals AS SELECT count(*) AS n FROM orders;
INSERT INTO orders (v) VALUES ('first'), ('{{ 7*7 }} ''; -- ü');"""
MARIADB = """
CREATE TABLE orders (id int PRIMARY KEY AUTO_INCREMENT, v varchar(99) NOT NULL);
CREATE TABLE items (id int PRIMARY KEY AUTO_INCREMENT, n int, FOREIGN KEY (n) REFERENCES orders (id));
CREATE TABLE log (n int);
CREATE VIEW totals AS SELECT count(*) AS n FROM orders;
CREATE TRIGGER logged AFTER INSERT ON items FOR EACH ROW INSERT INTO log VALUES (NEW.n);
CREATE PROCEDURE answer() SELECT 42;
INSERT INTO orders (v) VALUES ('first'), ('{{ 7*7 }} ''; -- ü');
INSERT INTO items (n) VALUES (1);"""


def fill(server: Server) -> None:
    server.sql(POSTGRESQL if server.engine == "postgresql" else MARIADB)


@pytest.fixture(scope="module")
def server(stack: Stack, device: tuple[LabDevice, str], provisioned: dict) -> Server:
    made = Server(stack, device[0], "postgresql")
    fill(made)
    return made


def test_the_timer_is_set_for_two_in_the_morning_and_its_unit_backs_up(server: Server) -> None:
    shown = server.device.exec(
        ["systemctl", "show", "-p", "TimersCalendar,ActiveState", "forgelab-backup.timer"]
    ).stdout
    assert "OnCalendar=*-*-* 02:00:00" in shown and "ActiveState=active" in shown
    server.device.exec(["systemctl", "start", UNIT])
    listed = server.backups()
    assert {(b["database"], b["verified"]) for b in listed["backups"]} == {(DATABASE, True), ("(accounts)", True)}
    assert set(listed["complete"]["databases"]) == {DATABASE, "(accounts)"}
    assert listed["timer"]["result"] == "success" and listed["timer"]["next"]


def test_only_root_reads_backups_and_no_password_is_in_an_argument(server: Server) -> None:
    shown = server.device.exec(["find", FOLDER, "-printf", "%u %m %y\\n"]).stdout.split("\n")
    assert set(filter(None, shown)) == {"root 700 d", "root 600 f"}


def test_a_dropped_table_is_back_after_a_restore_by_forgelab(server: Server) -> None:
    made = server.stack.cli("server", "backup", server.name).stdout
    assert "Backing up the databases" in made and f"{DATABASE}: " in made
    server.sql("DROP TABLE orders CASCADE")
    said = server.restore().stdout
    assert server.sql("SELECT v FROM orders ORDER BY id") == "first\n{{ 7*7 }} '; -- ü"
    assert server.sql("SELECT n FROM totals") == "2"
    kept = next(word.rstrip(".") for word in said.split() if word.startswith(f"{DATABASE}_before_"))
    assert server.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'orders'", kept) == "0"
    server.device.exec(["forgelab-backup", "drop", kept])


def test_the_owner_still_logs_in_and_owns_what_was_restored(server: Server) -> None:
    shown = server.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'")
    assert shown == "laravel_user"
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    assert server.sql(owner) == "laravel_user"
    block = server.stack.api.get(f"infrastructure/servers/{server.id()}/credentials").json()[0]
    fields = {field["label"]: field["value"] for field in block["fields"]}
    login = f"postgresql://{fields['User']}:{fields['Password']}@127.0.0.1/{fields['Database']}"
    server.device.exec(["psql", login, "-c", "INSERT INTO orders (v) VALUES ('by the owner')"])


def test_forgelab_knows_its_own_backups_at_once_and_the_timers_when_it_asks(server: Server) -> None:
    server.stack.cli("server", "backup", server.name)
    address = f"infrastructure/servers/{server.id()}/backups"
    known = server.stack.api.get(address).raise_for_status().json()
    assert known["last"]["id"] == server.backups()["complete"]["id"]
    server.device.exec(["systemctl", "start", UNIT])
    newest = server.backups()["complete"]["id"]
    assert server.stack.api.get(address).json()["last"]["id"] != newest
    asked = server.stack.api.get(address, params={"refresh": "true"}).raise_for_status().json()
    assert asked["last"]["id"] == newest and asked["timer"]["next"]
    assert newest in server.stack.cli("server", "backups", server.name).stdout


def test_a_restore_beside_the_present_one_replaces_nothing(server: Server) -> None:
    server.restore("--into", "beside")
    assert server.sql("SELECT count(*) FROM orders", "beside") == server.sql("SELECT count(*) FROM orders")
    again = server.restore("--into", "beside", check=False)
    assert again.returncode == 1 and "There is already a database beside" in again.stderr
    server.sql("DROP DATABASE beside", "postgres")


def test_a_damaged_backup_is_refused_with_a_sentence_and_nothing_is_touched(server: Server) -> None:
    damaged = server.newest()
    path = server.data_file(damaged)
    server.device.exec(["sh", "-c", f"printf X | dd of={path} bs=1 seek=700 conv=notrunc"])
    before = server.sql("SELECT string_agg(v, ',' ORDER BY id) FROM orders")
    refused = server.restore("--at", damaged["id"], check=False)
    assert refused.returncode == 1
    assert f"The backup {damaged['id']} of {DATABASE} is damaged and cannot be restored" in refused.stderr
    assert server.sql("SELECT string_agg(v, ',' ORDER BY id) FROM orders") == before
    assert not server.newest()["verified"]
    server.restore()  # the newest sound one
    for kept in server.device.exec(["forgelab-backup", "drop"]).stdout.split("\n"):
        if kept:
            server.device.exec(["forgelab-backup", "drop", kept.split()[0]])


@pytest.fixture
def small_disk(server: Server) -> Iterator[str]:
    """A disk of 6 MB with the settings for it."""
    settings = {"directory": "/mnt/small", "reserve_mb": 0}
    server.device.exec(["sh", "-c", "mkdir -p /mnt/small && mount -t tmpfs -o size=6m tmpfs /mnt/small"])
    server.device.exec(["sh", "-c", "cat > /root/small.json"], input=json.dumps(settings))
    yield "/root/small.json"
    server.device.exec(["sh", "-c", "umount /mnt/small; rmdir /mnt/small; rm /root/small.json"])


def test_a_full_disk_is_reported_and_earlier_backups_are_untouched(server: Server, small_disk: str) -> None:
    back_up = ["forgelab-backup", "--config", small_disk, "now"]
    server.device.exec(back_up)
    before = server.device.exec(["sh", "-c", "cd /mnt/small && find . -type f | sort | xargs sha256sum"]).stdout
    assert before.count("\n") >= 4
    # About 20 MB of which half is left when compressed.
    noise = "SELECT string_agg(md5(n::text || m::text || random()::text), '') AS v"
    server.sql(f"CREATE TABLE noise AS {noise} FROM generate_series(1, 400) n, generate_series(1, 1600) m GROUP BY n")
    full = server.device.exec(back_up, check=False)
    server.sql("DROP TABLE noise")
    assert full.returncode == 1
    assert f"{DATABASE} is NOT backed up: /mnt/small" in full.stderr, full.stderr
    assert "the earlier backups are untouched" in full.stderr
    after = server.device.exec(["sh", "-c", "cd /mnt/small && find . -type f | sort | xargs sha256sum"]).stdout
    kept = [line for line in before.splitlines() if "complete.json" not in line]
    assert set(kept) <= set(after.splitlines()) and ".partial" not in after


def test_killed_in_the_middle_no_half_backup_is_listed(server: Server) -> None:
    before = server.backups()["backups"]
    server.sql("CREATE TABLE slow (v text)")
    # The dump waits for the lock, so the program is surely in the middle of it.
    lock = "BEGIN; LOCK TABLE slow; SELECT pg_sleep(120)"
    server.device.exec(
        ["systemd-run", "--unit=holder", "runuser", "-u", "postgres", "--", "psql", DATABASE, "-c", lock]
    )
    server.device.exec(["systemctl", "start", "--no-block", UNIT])
    find = ["find", FOLDER, "-name", "*.partial", "-path", "*/databases/*"]
    wait_for(lambda: server.device.exec(find).stdout, 30, "a half written backup")
    server.device.exec(["systemctl", "kill", "--signal=KILL", UNIT])
    held = "query LIKE '%LOCK TABLE slow%' AND pid <> pg_backend_pid()"
    server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {held}")
    wait_for(lambda: _state(server, "ActiveState") == "failed", 30, "the unit has failed")
    # The accounts were saved before; of the database there is nothing new.
    databases = [b for b in server.backups()["backups"] if b["database"] == DATABASE]
    assert databases == [b for b in before if b["database"] == DATABASE]
    assert server.backups()["timer"]["result"] == "signal"
    server.sql("DROP TABLE slow")
    server.device.exec(["systemctl", "start", UNIT])
    assert server.device.exec(["find", FOLDER, "-name", "*.partial"]).stdout == ""
    assert server.newest()["verified"]


def _state(server: Server, name: str) -> str:
    return server.device.exec(["systemctl", "show", "-p", name, "--value", UNIT]).stdout.strip()


def test_a_wrong_request_starts_nothing(server: Server) -> None:
    address = f"infrastructure/servers/{server.id()}/restore"
    runs = len(server.stack.api.get("runs?limit=200").json()["results"])
    unconfirmed = server.stack.api.post(address, json={"database": DATABASE, "confirm": "another"})
    assert unconfirmed.status_code == 400 and server.name in unconfirmed.json()["confirm"][0]
    assert len(server.stack.api.get("runs?limit=200").json()["results"]) == runs


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("image", "engine", "config"),
    [
        ("bookworm", "mariadb", {**BOOKWORM, "database_engine": "mariadb", "mariadb_version": "10.11"}),
        ("trixie", "mariadb", {**TRIXIE, "database_engine": "mariadb", "mariadb_version": "10.11"}),
        ("trixie", "postgresql", TRIXIE),
    ],
)
def test_every_engine_on_every_release_gives_back_what_was_dropped(
    stack: Stack, join: Callable[..., tuple[LabDevice, str]], image: str, engine: str, config: dict[str, Any]
) -> None:
    device, device_id = join(f"e2e-backup-{image}-{engine}", image=image)
    slim = {f"include_{part}": False for part in ("nodejs", "composer", "redis", "supervisor", "scheduler", "firewall")}
    name = f"backup-{image}-{engine}-production"
    run = stack.wait_for_end(stack.provision(name, device_id, {**BASE, **config, **slim}))
    assert run["status"] == "succeeded", run["status_detail"]
    server = Server(stack, device, engine, name)
    database = name.replace("-", "_")
    create = POSTGRESQL.replace("laravel_user", _owner(server, database)) if engine == "postgresql" else MARIADB
    server.sql(create, database)
    device.exec(["systemctl", "start", UNIT])
    assert server.newest(database)["verified"]
    cascade = "DROP TABLE orders CASCADE" if engine == "postgresql" else "SET foreign_key_checks = 0; DROP TABLE orders"
    server.sql(cascade, database)
    stack.cli("server", "restore", name, "--database", database, "--confirm", name)
    assert server.sql("SELECT v FROM orders ORDER BY id", database) == "first\n{{ 7*7 }} '; -- ü"
    assert server.sql("SELECT n FROM totals", database) == "2"
    if engine == "mariadb":
        server.sql("INSERT INTO items (n) VALUES (2)", database)  # the trigger and the foreign key are back
        assert server.sql("SELECT n FROM log ORDER BY n; CALL answer()", database) == "1\n2\n42"
        stack.cli("server", "restore", name, "--database", database, "--confirm", name, "--into", "beside_it")
        rights = "SELECT count(*) FROM mysql.db WHERE Db = 'beside\\\\_it' AND Insert_priv = 'Y' AND User <> ''"
        assert server.sql(rights, "mysql") == "1"
    path = server.data_file(server.newest(database))
    device.exec(["sh", "-c", f"printf X | dd of={path} bs=1 seek=300 conv=notrunc"])
    refused = stack.cli("server", "restore", name, "--database", database, "--confirm", name, check=False)
    assert refused.returncode == 1 and "is damaged and cannot be restored" in refused.stderr
    again = stack.wait_for_end(stack.provision(name, device_id, {**BASE, **config, **slim}))
    events = stack.api.get(f"runs/{again['id']}/events?limit=1000").json()["results"]
    assert [event["task"] for event in events if event["changed"]] == []
    device.remove()


def _owner(server: Server, database: str) -> str:
    return server.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()", database)
