"""Two Database Servers, PostgreSQL on Debian 12 and MariaDB on Debian 13, which let in who is named and nobody else."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from forgelab.lab import Lab, LabDevice
from tests.e2e.databases import Database, is_shut, reach, succeeded
from tests.support.stack import Stack

pytestmark = pytest.mark.lab
Join = Callable[..., tuple[LabDevice, str]]
VERSIONS = {"bookworm": ("15", "10.11"), "trixie": ("17", "11.8")}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("bookworm", "trixie"), id="postgresql-on-12-mariadb-on-13"),
        pytest.param(("trixie", "bookworm"), id="postgresql-on-13-mariadb-on-12", marks=pytest.mark.matrix),
    ],
)
def databases(request: pytest.FixtureRequest, stack: Stack, join: Join, lab: Lab) -> tuple[Database, Database]:
    """Both at the same time. This machine may use PostgreSQL; MariaDB's own device and PostgreSQL's may use MariaDB."""
    first, second = request.param
    one, one_id = join(f"db-pg-{first}", image=first, memory="2G")
    two, two_id = join(f"db-maria-{second}", image=second, memory="2G")
    gateway = lab.site.gateway
    postgresql = Database(stack, one, one_id, f"pg-{first}", {
        "postgresql_version": VERSIONS[first][0], "allowed_networks": [f"{gateway}/32"], "max_connections": 150,
    })  # fmt: skip
    mariadb = Database(stack, two, two_id, f"maria-{second}", {
        "database_engine": "mariadb", "mariadb_version": VERSIONS[second][1],
        "allowed_networks": [f"{one.address}/32", f"{two.address}/32"],
    })  # fmt: skip
    runs = [database.start() for database in (postgresql, mariadb)]
    for run in runs:
        assert succeeded(stack.wait_for_end(run)) > 0
    return postgresql, mariadb


Databases = tuple[Database, Database]


def test_postgresql_is_tuned_to_the_device_as_it_says_itself(databases: Databases) -> None:
    postgresql, _ = databases
    budget = postgresql.memory_mb() * 90 // 100
    names = ("shared_buffers", "effective_cache_size", "max_connections", "password_encryption", "listen_addresses")
    found = {name: postgresql.ask(f"SHOW {name}") for name in names}
    assert found == {
        "shared_buffers": f"{budget // 4}MB",
        "effective_cache_size": f"{budget * 3 // 4}MB",
        "max_connections": "150",
        "password_encryption": "scram-sha-256",
        "listen_addresses": "*",
    }
    assert postgresql.ask("SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL") == "0"


def test_mariadb_is_tuned_to_the_device_as_it_says_itself(databases: Databases) -> None:
    _, mariadb = databases
    question = "SELECT @@innodb_buffer_pool_size DIV 1048576, @@max_connections, @@skip_name_resolve"
    told = mariadb.device.exec(["mariadb", "-NBe", question]).stdout.split()
    pool = mariadb.memory_mb() * 90 // 100 // 2
    assert pool <= int(told[0]) < pool + 128  # MariaDB rounds up to whole chunks
    assert told[1:] == ["200", "1"]


def test_postgresql_lets_in_who_is_named_by_password_only(databases: Databases, lab: Lab) -> None:
    postgresql, _ = databases
    with postgresql.login() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (id int)")
        assert connection.execute("SELECT inet_client_addr()::text").fetchone() == (f"{lab.site.gateway}/32",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        postgresql.login(password="wrong")
    with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
        postgresql.login(dbname="postgres")
    with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
        postgresql.login(user="postgres")
    rules = postgresql.ask("SELECT DISTINCT auth_method FROM pg_hba_file_rules WHERE type LIKE 'host%'")
    assert rules == "scram-sha-256"


def test_mariadb_lets_in_who_is_named_by_password_only(databases: Databases) -> None:
    postgresql, mariadb = databases
    known = mariadb.credentials()
    login = ["mariadb", "--skip-ssl", f"-h{mariadb.device.address}", f"-u{known['User']}", "-NBe"]
    question = f"USE `{known['Database']}`; SELECT user()"
    answer = mariadb.device.exec([*login[:-1], f"-p{known['Password']}", "-NBe", question]).stdout.strip()
    assert answer == f"{known['User']}@{mariadb.device.address}"
    assert "Access denied" in mariadb.device.exec([*login, question], check=False).stderr
    assert "MariaDB" in reach(postgresql.device, mariadb.device.address, 3306, listen=True)


def test_nobody_else_gets_through(databases: Databases) -> None:
    postgresql, mariadb = databases
    assert reach(mariadb.device, postgresql.device.address, 5432) == "shut"
    assert is_shut(mariadb.device.address, 3306)
    for database, port in ((postgresql, "5432"), (mariadb, "3306")):
        lines = [line.split()[3] for line in database.device.exec(["ss", "-Hltn"]).stdout.splitlines()]
        outside = {line.rsplit(":", 1)[1] for line in lines if not line.startswith(("127.", "[::1]"))}
        assert outside == {"22", port}


def test_everything_runs(databases: Databases) -> None:
    for database, engine in zip(databases, ("postgresql", "mariadb"), strict=True):
        units = [engine, "ufw", "forgelab-backup.timer"]
        assert database.device.exec(["systemctl", "is-active", *units]).stdout.split() == ["active"] * 3


def test_provisioning_them_again_changes_nothing(databases: Databases, stack: Stack) -> None:
    runs = [database.start() for database in databases]
    assert [succeeded(stack.wait_for_end(run)) for run in runs] == [0, 0]


def test_without_anybody_named_they_answer_their_own_device_alone(databases: Databases, stack: Stack) -> None:
    runs = [database.start(allowed_networks=[]) for database in databases]
    for database, run, port in zip(databases, runs, (5432, 3306), strict=True):
        succeeded(stack.wait_for_end(run))
        assert database.listens(port) <= {f"127.0.0.1:{port}", f"[::1]:{port}"}
        assert database.listens(port)
        assert str(port) not in database.device.exec(["ufw", "status"]).stdout
    postgresql, mariadb = databases
    assert not postgresql.device.exec(
        ["sh", "-c", "grep managed /etc/postgresql/*/main/pg_hba.conf"], check=False
    ).stdout
    accounts = "SELECT Host FROM mysql.user WHERE User = '{}'".format(mariadb.credentials()["User"])
    assert mariadb.device.exec(["mariadb", "-NBe", accounts]).stdout.split() == ["localhost"]
